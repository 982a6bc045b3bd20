//! What waiting jobs cost in memory: RssAnon of the server, its workers apart.

use tympan_tests::peers;

use crate::Size;
use crate::load::{self, anonymous_memory};
use crate::office::{Office, Proof};

pub(crate) fn run(size: &Size) {
    if !peers::need("smtp-source") {
        return;
    }
    let mebibytes = |octets: u64| octets as f64 / f64::from(1 << 20);
    let office = Office::open(Proof::Network);
    load::wait_until_quiet(office.pid());
    let before = anonymous_memory(office.pid());
    load::round(office.smtp, office.pid(), size.waiting, 10, None);
    let after = anonymous_memory(office.pid());
    println!(
        "\nmemory: RssAnon {:.1} MiB at start, {:.1} MiB with {} jobs of 10 KB waiting",
        mebibytes(before),
        mebibytes(after),
        office.waiting()
    );
}
