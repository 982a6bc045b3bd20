//! The console in a real browser: files dropped on a page come out on paper, and every page fits a phone.

use tympan_tests::peers::{self, Chromium};
use tympan_tests::{Process, program, samples, wait_until};

use super::office::{Office, Wishes};

const PASSWORD: &str = "correct horse battery";

/// A browser in which the owner has just set the server up.
fn signed_in(office: &Office) -> Chromium {
    let chromium = Chromium::start();
    let url =
        office.log().lines().find_map(|line| line.strip_prefix("set-up:")).expect("the set-up page").trim().to_owned();
    chromium.open(&url);
    chromium.fill("input[name=name]", "anna");
    for field in ["password", "again", "password2", "repeat"] {
        let there = chromium.value(&format!("!!document.querySelector('input[name={field}]')"));
        if there == true {
            chromium.fill(&format!("input[name={field}]"), PASSWORD);
        }
    }
    chromium.press("form button.main");
    chromium.wait("!location.pathname.startsWith('/setup')");
    chromium
}

#[test]
fn files_dropped_on_the_page_are_looked_at_and_printed_as_was_chosen() {
    if !Chromium::need() {
        return;
    }
    let office = Office::open();
    let chromium = signed_in(&office);
    chromium.resize(1280, 1400);
    chromium.open(&format!("http://localhost:{}/printers/office/print?lang=en", office.http.port()));
    let files = [
        office.scratch.write("two pages.pdf", samples::pdf(2)),
        office.scratch.write("note.txt", "Hello\n"),
        office.scratch.write("photo.jpg", samples::jpeg(3, 600, 900)),
    ];
    chromium.drop_files(".drop", &[&files[0], &files[1]]);
    chromium.wait("document.querySelectorAll('.chosen-file').length === 2");
    chromium.choose_files("input[type=file]", &[&files[2]]);
    chromium.wait("document.querySelectorAll('.chosen-file').length === 3");
    chromium.wait("document.querySelector('img.look')?.naturalWidth === 600");
    chromium.wait("document.querySelector('pre.look').textContent.includes('Hello')");
    assert_eq!(chromium.value("document.querySelector('form button.main').textContent"), "Print 3 files");
    // The text is taken away again.
    chromium.press(".chosen-file:nth-child(2) button");
    chromium.wait("document.querySelectorAll('.chosen-file').length === 2");
    chromium.fill("input[name=copies]", "2");
    chromium.fill("select[name=sides]", "duplex");
    if let Some(folder) = std::env::var_os("TYMPAN_SCREENSHOTS") {
        // The browser's own viewer draws the PDF in a process of its own.
        chromium.wait("performance.now() > 6000");
        chromium.screenshot(std::path::Path::new(&folder).join("upload-chosen.png"));
    }
    chromium.press("form button.main");
    chromium.wait("location.pathname === '/jobs'");
    office.printer.wait_for_pages(6);
    let mut names: Vec<String> = office.jobs().iter().map(|job| job["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    assert_eq!(names, ["photo.jpg", "two pages.pdf"]);
    // What cannot be printed is said on the page, and the choice stays.
    chromium.open(&format!("http://localhost:{}/printers/office/print?lang=en", office.http.port()));
    let bad = office.scratch.write("sheet.ods", b"PK\x03\x04no");
    chromium.choose_files("input[type=file]", &[&bad]);
    chromium.press("form button.main");
    chromium.wait("document.querySelector('.upload-said').textContent.includes('office document')");
    assert_eq!(chromium.value("document.querySelectorAll('.chosen-file').length"), 1);
}

#[test]
fn every_page_fits_a_phone_and_a_desk_in_both_languages() {
    if !Chromium::need() {
        return;
    }
    let more = "[[printer]]\nname = \"a-printer-with-quite-a-long-name\"\ninfo = \"Third floor, beside the kitchen, large format\"\n\
                device = \"socket://127.0.0.1:9\"\n";
    let office = Office::open_with(&Wishes { more, ..Wishes::default() });
    let chromium = signed_in(&office);
    office.printer.fault("off");
    office.send(
        super::office::ANNA,
        &[super::office::OFFICE],
        b"From: anna@sender.example\r\nSubject: Waiting\r\nMessage-ID: <1@x>\r\n\r\nHello\r\n",
    );
    office.wait_for_why("switched off");
    let job = office.jobs()[0]["id"].as_str().expect("a job").to_owned();
    let base = format!("http://localhost:{}", office.http.port());
    let pages = [
        ("home", "/".to_owned()),
        ("printer", "/printers/office".into()),
        ("upload", "/printers/office/print".into()),
        ("settings", "/printers/office/settings".into()),
        ("jobs", "/jobs".into()),
        ("job", format!("/jobs/{job}")),
        ("registrations", "/registrations".into()),
        ("notices", "/notices".into()),
        ("account", "/account".into()),
        ("add-printer", "/add-printer".into()),
        ("register", "/register/office".into()),
    ];
    let folder = std::env::var_os("TYMPAN_SCREENSHOTS").map(std::path::PathBuf::from);
    let mut faults = Vec::new();
    for (name, path) in &pages {
        for language in ["en", "ja"] {
            for (kind, width, height) in [("phone", 390, 844), ("desk", 1280, 900)] {
                chromium.resize(width, height);
                chromium.open(&format!("{base}{path}?lang={language}"));
                assert_eq!(chromium.value("document.documentElement.lang"), language, "{path}");
                if chromium.scrolls_sideways() {
                    let wide = "[...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > \
                                innerWidth + 1).map((one) => one.tagName + '.' + one.className).slice(0, 5).join(' ')";
                    faults.push(format!("{path} in {language} is wider than a {kind}: {}", chromium.value(wide)));
                }
                let small = chromium.value(
                    "[...document.querySelectorAll('a.button, button')].filter((key) => key.getClientRects().length && \
                     key.getBoundingClientRect().height < 32).length",
                );
                if small != 0 {
                    faults.push(format!("{path} in {language} on a {kind}: {small} keys are too small for a finger"));
                }
                if let Some(folder) = &folder {
                    chromium.screenshot(folder.join(format!("{name}-{language}-{kind}.png")));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Posts a form with curl, as a machine does; the answer.
fn post(url: &str, fields: &[&str]) -> serde_json::Value {
    let mut curl = peers::command("curl");
    curl.arg("--silent");
    for field in fields {
        curl.args(["--data-urlencode", field]);
    }
    let said = Process::run("curl", curl.arg(url)).expect_success();
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

#[test]
fn e01_a_machine_is_paired_on_a_phone_and_reports_then() {
    if !Chromium::need() || !peers::need("curl") {
        return;
    }
    let office = Office::open_with(&Wishes { silent: true, ..Wishes::default() });
    let chromium = signed_in(&office);
    let base = format!("http://localhost:{}", office.http.port());
    let asked = post(
        &format!("{base}/oauth/device_authorization"),
        &["client_id=tympan-agent", "name=Shop floor", "printer=Label printer", "printer=Office"],
    );
    let text = |value: &serde_json::Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let grant = "grant_type=urn:ietf:params:oauth:grant-type:device_code";
    let device_code = format!("device_code={}", text(&asked, "device_code"));
    chromium.resize(390, 844);
    chromium.open(&format!("{}&lang=en", text(&asked, "verification_uri_complete")));
    let shown = chromium.value("document.querySelector('.pair-code').textContent");
    assert_eq!(shown, asked["user_code"]);
    assert!(!chromium.scrolls_sideways());
    if let Some(folder) = std::env::var_os("TYMPAN_SCREENSHOTS") {
        chromium.screenshot(std::path::Path::new(&folder).join("pair-en-phone.png"));
    }
    chromium.press("button[value=yes]");
    chromium.wait("location.pathname === '/account'");
    // It asks for the first time: between two questions it would have to wait five seconds.
    let granted = post(&format!("{base}/oauth/token"), &[grant, "client_id=tympan-agent", &device_code]);
    let uri = format!("ipp://{}/ipp/print/office", office.http);
    let token = text(&granted, "access_token");
    let report = |state: &str, reasons: &str| {
        let mut command = std::process::Command::new(program::tympan());
        command.args(["report", "--to", &uri, "--report-token", &token, "--state", state, "--reasons", reasons]);
        Process::run("tympan report", &mut command)
    };
    let _ = report("stopped", "media-empty-error").expect_success();
    wait_until("the report shows", || {
        office.json(&["printers"])[0]["reasons"]
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one == "media-empty-error"))
    });
    let id =
        office.json(&["admin", "tokens"]).as_array().into_iter().flatten().find(|one| one["scope"] == "agent").cloned();
    let id = id.expect("the machine's token")["id"].as_str().expect("its number").to_owned();
    office.tympan(&["admin", "revoke", &id]);
    assert!(report("idle", "none").expect_failure().contains("refused"));
}
