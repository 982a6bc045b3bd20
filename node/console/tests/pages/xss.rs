//! Names that others choose stay text.

use crate::world::{World, profile};
use tympan_engine::{JobOptions, Language, OwnerId, PrinterEvent, TokenScope};
use tympan_store::Whose;

const PAYLOADS: [&str; 8] = [
    "<script>xss(1)</script>",
    "\"><script>xss(1)</script>",
    "'><img src=x onerror=xss(1)>",
    "</title><svg onload=xss(1)>",
    "\" autofocus onfocus=xss(1) x=\"",
    "{{ f.csrf }}<b>xss</b>",
    "javascript:xss(1)",
    "</textarea></pre><iframe srcdoc=\"<script>xss(1)</script>\">",
];

#[tokio::test]
async fn t14_what_others_write_is_shown_as_text_on_every_page() {
    for payload in PAYLOADS {
        let world = World::small().await;
        let printer = world.printer_named("office").await;
        let whose = Whose::Owner(OwnerId::FIRST);
        let described = PrinterEvent::Describe { info: payload.into(), location: payload.into() };
        world.spooler.printer_event(whose, printer.uuid, described, None).await.unwrap();
        let mut learned = profile();
        learned.make_and_model = payload.into();
        learned.formats = vec![payload.into()];
        learned.media = vec![payload.into()];
        world.spooler.printer_event(whose, printer.uuid, PrinterEvent::Learned(learned.into()), None).await.unwrap();
        let mut condition = crate::world::no_paper();
        condition.trays[0].name = payload.into();
        condition.trays[0].media = Some(payload.into());
        condition.markers[0].name = payload.into();
        condition.markers[0].color = payload.into();
        condition.markers[0].level = Some(0);
        condition.reasons.push(payload.into());
        condition.message = payload.into();
        world.devices.conditions.lock().unwrap().insert("office".into(), condition.clone());
        world
            .spooler
            .printer_event(whose, printer.uuid, PrinterEvent::Reported(condition), Some(payload))
            .await
            .unwrap();
        let registration = world
            .spooler
            .register(&printer, "o'neil+&@example.org", Language::En, JobOptions::default())
            .await
            .unwrap();
        let job = world.submit("office", payload, payload).await;
        world.until(job, |job| job.ready).await;
        world.notice(printer.uuid, payload, payload).await;
        let scope = TokenScope::Registration { registration: registration.id };
        let token = world.spooler.new_token(OwnerId::FIRST, scope, None).await.unwrap();
        let link = world.job_link(job).await;

        let mut owner = world.owner().await;
        let pages = [
            "/".into(),
            "/jobs?show=all".into(),
            format!("/jobs/{}", job.short()),
            "/printers/office".into(),
            "/printers/office/settings".into(),
            "/printers/office/print".into(),
            "/registrations".into(),
            format!("/registrations/{}", registration.id),
            "/notices".into(),
            "/register".into(),
            "/register/office".into(),
            link,
            format!("/r/{token}"),
            "/account".into(),
            "/add-printer".into(),
        ];
        let mut seen = 0;
        for path in &pages {
            for lang in ["en", "ja"] {
                let join = if path.contains('?') { '&' } else { '?' };
                let page = owner.get(&format!("{path}{join}lang={lang}")).await;
                page.is(200);
                for bad in ["<script>xss", "<img src=x", "<svg onload", "\" autofocus", "<b>xss", "<iframe"] {
                    page.has_not(bad);
                }
                // These attributes are text to a browser; no other may begin so.
                let text = [" value", " title", " aria-label"].map(|name| format!("{name}=\"javascript:"));
                let rest = text.iter().fold(page.text.clone(), |rest, text| rest.replace(text, ""));
                for bad in ["=\"javascript:", "='javascript:"] {
                    assert!(!rest.contains(bad), "{bad} stands in {path}: {rest}");
                }
                seen += usize::from(page.text.contains("xss"));
            }
        }
        assert!(seen >= 16, "the payload is shown: {seen}");
        // What is typed and shown again, too.
        let wrong =
            [("name", payload), ("code", payload), ("next", payload), ("sender", payload), ("retention", payload)];
        for path in [
            "/sign-in",
            "/register/office",
            "/printers/office/settings",
            &format!("/registrations/{}", registration.id),
        ] {
            let mut browser = owner.clone();
            if path == "/sign-in" {
                browser = world.browser();
                browser.get("/sign-in").await;
            }
            let page = browser.post(path, &wrong).await;
            page.is(422).has_not("<script>xss").has_not("<img src=x").has_not("<svg onload").has_not("\" autofocus");
        }
        // JSON is no page.
        let page = owner.get(&format!("/api/v1/jobs/{}", job.short())).await;
        assert_eq!(page.headers.get("content-type").unwrap(), "application/json");
        assert_eq!(page.json()["name"], payload);
    }
}

#[tokio::test]
async fn words_about_what_was_done_come_from_us_only() {
    let world = World::small().await;
    let mut owner = world.owner().await;
    owner.get("/?said=saved").await.has("Saved.");
    owner.get("/?said=Your%20password%20was%20stolen").await.has_not("stolen");
}
