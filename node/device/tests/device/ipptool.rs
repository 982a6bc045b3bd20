//! Debian's ipptool runs its conformance suites against the printer: ipp-1.1, ipp-2.0 and
//! ipp-everywhere. Its data files are made here. Without ipptool this is skipped, and says so.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::common::{Rig, jpeg, pdf};
use tympan_device::model::{Media, Tray};
use tympan_raster::pwg::{Encoder, PageHeader};
use tympan_raster::{ColorSpace, PixelType};

const SUITES: &str = "/usr/share/cups/ipptool";

#[tokio::test(flavor = "multi_thread")]
async fn the_suites_of_cups_find_no_fault() {
    if !Path::new(SUITES).join("ipp-everywhere.test").exists() || which("ipptool").is_none() {
        eprintln!("SKIPPED: ipptool is not installed (Debian: apt-get install cups-ipp-utils)");
        return;
    }
    let data = tempfile::tempdir().unwrap();
    prepare(data.path());
    let rig = Rig::with(|options| {
        let tray = |name: &str, media: &str| Tray::full(name, Media::from_name(media).unwrap(), 2_000);
        options.trays = vec![
            tray("tray-1", "iso_a4_210x297mm"),
            tray("tray-2", "na_letter_8.5x11in"),
            tray("by-pass-tray", "na_index-4x6_4x6in"),
        ];
        // Finer samples would take minutes and say nothing new.
        options.resolutions = vec![150];
    })
    .await;
    for (suite, version, least) in [("ipp-1.1", "1.1", 30), ("ipp-2.0", "2.0", 30), ("ipp-everywhere", "2.0", 60)] {
        let output = tokio::process::Command::new("ipptool")
            .args(["-V", version, "-tI", "-f", "document-a4.pdf", &rig.printer.ipp_uri(), &format!("{suite}.test")])
            .current_dir(data.path())
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        let (passed, failed) = (text.matches("[PASS]").count(), text.matches("[FAIL]").count());
        assert!(!text.contains("cannot be read"), "a data file is missing: {text}");
        assert_eq!(failed, 0, "{suite}:\n{text}");
        assert!(passed >= least, "{suite}: only {passed} passed\n{text}");
        println!("{suite}: {passed} passed, {failed} failed, {} skipped", text.matches("[SKIP]").count());
    }
    let state = rig.printer.wait_for(|state| state.queued_jobs == 0).await.unwrap();
    assert_eq!(state.reasons, ["none"]);
    let spoiled: Vec<_> = state.jobs.iter().filter(|j| j.state == "aborted").collect();
    assert!(spoiled.is_empty(), "{spoiled:?}");
}

fn which(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(program)).find(|path| path.exists())
}

/// Copies the suites and makes the files that they print.
fn prepare(to: &Path) {
    for entry in std::fs::read_dir(SUITES).unwrap() {
        let from = entry.unwrap().path();
        std::fs::copy(&from, to.join(from.file_name().unwrap())).unwrap();
    }
    for name in ["document-a4.pdf", "document-letter.pdf"] {
        std::fs::write(to.join(name), pdf(2)).unwrap();
    }
    for name in ["document-a4.ps", "document-letter.ps"] {
        std::fs::write(to.join(name), "%!PS-Adobe-3.0\nshowpage\n").unwrap();
    }
    std::fs::write(to.join("color.jpg"), jpeg(300, 450, [200, 60, 20])).unwrap();
    std::fs::write(to.join("gray.jpg"), jpeg(300, 450, [90, 90, 90])).unwrap();
    let suite = std::fs::read_to_string(to.join("ipp-everywhere.test")).unwrap();
    for name in suite.lines().filter_map(|line| line.trim().strip_prefix("FILE ")).filter(|name| name.ends_with(".pwg"))
    {
        let path = to.join(name);
        if !path.exists() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, sample(name)).unwrap();
        }
    }
}

/// `…/onepage-a4-srgb-8-300dpi.pwg`: a page of the name's size, type and resolution.
fn sample(name: &str) -> Vec<u8> {
    let stem = name.trim_end_matches("dpi.pwg");
    let (rest, dpi) = stem.rsplit_once('-').unwrap();
    let dpi: u32 = dpi.parse().unwrap();
    let of = |color_space, bits_per_color| PixelType { color_space, bits_per_color };
    let (kind, pixel) = [
        ("black-1", PixelType::BLACK_1),
        ("sgray-8", PixelType::SGRAY_8),
        ("srgb-8", PixelType::SRGB_8),
        ("cmyk-8", PixelType::CMYK_8),
        ("srgb-16", of(ColorSpace::Srgb, 16)),
    ]
    .into_iter()
    .find(|(kind, _)| rest.ends_with(kind))
    .unwrap();
    let rest = rest.trim_end_matches(kind).trim_end_matches('-');
    let (width, height) = match rest.rsplit_once('-').unwrap().1 {
        "4x6" => (4 * dpi, 6 * dpi),
        "a4" => (dpi * 2100 / 254, dpi * 2970 / 254),
        "letter" => (dpi * 17 / 2, dpi * 11),
        other => panic!("unknown size {other} in {name}"),
    };
    let (mut encoder, mut out) = (Encoder::new(), Vec::new());
    encoder.start(&mut out);
    let header = PageHeader::new(pixel, width, height, dpi);
    let white = pixel.color_space.white_octet();
    encoder.page(&header, &mut out).unwrap();
    for line in 0..height {
        let octet = if line % 200 < 30 { !white } else { white };
        encoder.lines(&vec![octet; header.bytes_per_line() as usize], &mut out).unwrap();
    }
    encoder.end_page(&mut out).unwrap();
    out
}
