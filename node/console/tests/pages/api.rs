//! The JSON API, as the command line uses it.

use crate::world::{Browser, World, profile, well};
use serde_json::json;
use tympan_console::Found;
use tympan_engine::Outcome;
use tympan_http::Method;
use tympan_store::Whose;

async fn program(world: &World) -> Browser {
    let token = world.admin_token().await;
    world.browser().with("authorization", &format!("Bearer {token}"))
}

#[tokio::test]
async fn printers_are_added_listed_changed_and_removed() {
    let world = World::small().await;
    let mut program = program(&world).await;
    let found = Found { profile: Some(profile()), condition: well() };
    *world.devices.found.lock().unwrap() = Some(Ok(found));
    let body = json!({ "name": "lobby", "device": "ipp://192.0.2.7/ipp/print", "info": "Lobby", "access": null, "test_page": true });
    let page = program.api(Method::POST, "/printers", Some(body.clone())).await;
    page.is(201);
    let added = page.json();
    assert!(added["answer"].as_str().unwrap().contains("Found: Example ColorPrint 9000."), "{added}");
    assert_eq!(added["test_job"].as_str().unwrap().len(), 8);
    let lobby = &added["printer"];
    for (name, value) in [
        ("name", json!("lobby")),
        ("address", json!("lobby@print.example")),
        ("access", json!("approve")),
        ("state", json!("idle")),
        ("paused", json!(false)),
        ("make_and_model", json!("Example ColorPrint 9000")),
    ] {
        assert_eq!(lobby[name], value);
    }
    assert_eq!(lobby["markers"][2], json!({ "name": "Yellow", "color": "#FFFF00", "level": 8 }));
    assert_eq!(lobby["trays"][0]["level"], 240);
    assert_eq!(lobby["policy"]["retention_ms"], 259_200_000);
    assert!(lobby["answered_at"].as_str().unwrap().ends_with("+09:00"));
    let page = program.api(Method::POST, "/printers", Some(body)).await;
    page.is(409);
    assert_eq!(page.json()["error"], "There is a printer with this name already.");
    let page = program.api(Method::POST, "/printers", Some(json!({ "name": "x", "device": "nowhere" }))).await;
    page.is(422);
    let page = program.api(Method::POST, "/printers", Some(json!({ "name": "x", "devise": "ipp://h/" }))).await;
    page.is(422).has("devise");

    *world.devices.found.lock().unwrap() = Some(Err("ipp://192.0.2.8/ did not answer.".into()));
    let page =
        program.api(Method::POST, "/printers", Some(json!({ "name": "attic", "device": "ipp://192.0.2.8/" }))).await;
    page.is(201).has("did not answer").has("\"test_job\":null");

    let all = program.api(Method::GET, "/printers", None).await.json();
    let names: Vec<&str> = all.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["attic", "lobby", "office"]);
    assert_eq!(all[0]["troubles"][0], "it is switched off or cannot be reached");

    let change = json!({ "info": "The lobby", "location": "Ground floor", "policy": { "retention_ms": 60_000, "doubt": "reprint" } });
    let page = program.api(Method::PATCH, "/printers/lobby", Some(change)).await;
    page.is(200);
    let now = page.json();
    assert_eq!((&now["info"], &now["location"]), (&json!("The lobby"), &json!("Ground floor")));
    assert_eq!(
        (&now["policy"]["retention_ms"], &now["policy"]["doubt"], &now["policy"]["review_pages"]),
        (&json!(60_000), &json!("reprint"), &json!(50))
    );
    for wrong in [
        json!({ "policy": { "retenton_ms": 1 } }),
        json!({ "policy": { "retention_ms": 1 } }),
        json!({ "policy": { "doubt": "dice" } }),
        json!({ "colour": 1 }),
        json!({ "device": "x" }),
    ] {
        program.api(Method::PATCH, "/printers/lobby", Some(wrong)).await.is(422);
    }
    assert_eq!(program.api(Method::POST, "/printers/lobby/pause", Some(json!({}))).await.json()["paused"], true);
    assert_eq!(program.api(Method::POST, "/printers/lobby/resume", None).await.json()["paused"], false);
    let page = program.api(Method::POST, "/printers/attic/try", None).await;
    page.is(409).has("switched off");
    world.devices.conditions.lock().unwrap().insert("attic".into(), well());
    program.api(Method::POST, "/printers/attic/try", None).await.is(200);
    let page = program.api(Method::POST, "/printers/office/test", None).await;
    page.is(201);
    assert_eq!(page.json()["job"]["name"], "Test page");
    let page = program.api(Method::POST, "/printers/office/token", None).await.json();
    assert_eq!(page["token"].as_str().unwrap().len(), 64);
    assert_eq!(page["report_uri"], format!("ipp://{}/ipp/print/office", world.addr));
    program.api(Method::DELETE, "/printers/attic", None).await.is(204);
    program.api(Method::GET, "/printers/attic", None).await.is(404);
    program.api(Method::GET, "/printers/nowhere", None).await.is(404).has("\"error\"");
}

#[tokio::test]
async fn jobs_are_listed_explained_and_moved() {
    let world = World::small().await;
    world.printer("lobby", "Lobby").await;
    let job = world.waiting_job("invoice.pdf", "anna@example.org").await;
    let mut program = program(&world).await;
    let all = program.api(Method::GET, "/jobs?printer=&all=", None).await.json();
    assert_eq!(all.as_array().unwrap().len(), 1);
    let one = &all[0];
    assert_eq!(one["id"], job.short().to_string());
    assert_eq!(one["uuid"], job.to_string());
    for (name, value) in [
        ("job_id", json!(1)),
        ("printer", json!("office")),
        ("name", json!("invoice.pdf")),
        ("originator", json!("anna@example.org")),
        ("state", json!("pending")),
        ("pages", json!(3)),
        ("copies", json!(1)),
        ("outcome", json!(null)),
        ("doubt", json!(null)),
    ] {
        assert_eq!(one[name], value, "{name}");
    }
    assert!(one["reasons"].as_array().unwrap().contains(&json!("printer-stopped")));
    assert!(one["next_try_at"].is_string() && one["keep_until"].is_string());
    assert!(one["why"]["now"].as_str().unwrap().contains("Tray 1 has no A4"));

    let path = format!("/jobs/{}", job.short());
    let page = program.api(Method::GET, &path, None).await.json();
    assert!(page["history"][0]["text"].as_str().unwrap().contains("by mail"));
    assert_eq!(page["attempts"][0]["state"], "failed-clean");
    program.api(Method::GET, "/jobs/office-1", None).await.is(200);
    let why = program.api(Method::GET, &format!("{path}/why?lang=ja"), None).await.json();
    assert!(why["text"].as_str().unwrap().contains("用紙"), "{why}");
    assert!(
        program.api(Method::GET, &format!("{path}/why?lang=en"), None).await.json()["text"]
            .as_str()
            .unwrap()
            .contains("You can:")
    );

    assert_eq!(
        program.api(Method::POST, &format!("{path}/hold"), Some(json!({}))).await.json()["state"],
        "pending-held"
    );
    assert_eq!(program.api(Method::POST, &format!("{path}/release"), Some(json!({}))).await.json()["state"], "pending");
    let kept = program.api(Method::POST, &format!("{path}/keep"), Some(json!({ "span": "10 days" }))).await;
    assert_ne!(kept.json()["keep_until"], one["keep_until"]);
    program.api(Method::POST, &format!("{path}/keep"), Some(json!({ "span": "10" }))).await.is(422);
    program.api(Method::POST, &format!("{path}/decide"), Some(json!({ "decision": "fine" }))).await.is(409);
    program
        .api(Method::POST, &format!("{path}/decide"), Some(json!({ "decision": "maybe" })))
        .await
        .is(422)
        .has("throw-away");
    program.api(Method::POST, &format!("{path}/reprint"), Some(json!({ "at": null }))).await.is(409);
    let page = program.api(Method::POST, &format!("{path}/reprint"), Some(json!({ "at": "lobby" }))).await;
    page.is(201);
    assert_eq!(page.json()["printer"], "lobby");
    program.api(Method::POST, &format!("{path}/cancel"), Some(json!({}))).await.is(409).has("already ended");
    assert!(program.api(Method::GET, "/jobs?all=1&limit=1", None).await.json().as_array().unwrap().len() == 1);
    program.api(Method::GET, "/jobs?limit=100000", None).await.is(422);
    program.api(Method::GET, "/jobs?printer=nowhere", None).await.is(404);
    let new = page.json()["id"].as_str().unwrap().to_owned();
    let new = world.spooler.find_job(Whose::Everyones, &new).await.unwrap().uuid;
    world.until(new, |job| matches!(job.outcome, Some(Outcome::Printed { .. }))).await;
    let older = program.api(Method::GET, &format!("/jobs?all=1&before={}", new.short()), None).await.json();
    assert_eq!(older.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_doubt_is_decided() {
    let world = World::small().await;
    let job = world.doubtful_job("anna@example.org").await;
    let mut program = program(&world).await;
    let path = format!("/jobs/{}", job.short());
    let one = program.api(Method::GET, &path, None).await.json();
    assert_eq!(one["state"], "processing-stopped");
    assert!(one["doubt"]["possible"].as_u64().unwrap() >= 1 && one["reasons"][0] == "tympan-in-doubt", "{one}");
    program.api(Method::POST, &format!("{path}/decide"), Some(json!({ "decision": "print-from" }))).await.is(422);
    let page = program.api(Method::POST, &format!("{path}/decide"), Some(json!({ "decision": "fine" }))).await;
    assert_eq!(page.json()["state"], "completed");
    assert_eq!(page.json()["outcome"], "Printed: a person confirmed it.");
}

#[tokio::test]
async fn registrations_are_made_changed_and_ended() {
    let world = World::small().await;
    let mut program = program(&world).await;
    let page = program
        .api(Method::POST, "/registrations", Some(json!({ "printer": "office", "sender": "Anna@example.org" })))
        .await;
    page.is(201);
    let made = page.json();
    let id = made["id"].as_str().unwrap();
    assert_eq!(
        (&made["sender"], &made["state"], &made["language"]),
        (&json!("anna@example.org"), &json!("active"), &json!("en"))
    );
    program.api(Method::POST, "/registrations", Some(json!({ "printer": "office", "sender": "anna" }))).await.is(422);
    program
        .api(Method::POST, "/registrations", Some(json!({ "printer": "nowhere", "sender": "a@example.org" })))
        .await
        .is(404);
    let path = format!("/registrations/{id}");
    let page =
        program.api(Method::PATCH, &path, Some(json!({ "retention": "12 hours", "language": "ja" }))).await.json();
    assert_eq!(
        (&page["retention_ms"], &page["retry_interval_ms"], &page["language"]),
        (&json!(43_200_000), &json!(null), &json!("ja"))
    );
    let page =
        program.api(Method::PATCH, &path, Some(json!({ "retention": null, "retry_interval": "90 s" }))).await.json();
    assert_eq!(
        (&page["retention_ms"], &page["retry_interval_ms"], &page["language"]),
        (&json!(null), &json!(90_000), &json!("ja"))
    );
    for wrong in
        [json!({ "retention": 5 }), json!({ "retention": "5" }), json!({ "language": "fr" }), json!({ "sender": "b" })]
    {
        program.api(Method::PATCH, &path, Some(wrong)).await.is(422);
    }
    assert_eq!(program.api(Method::POST, &format!("{path}/revoke"), Some(json!({}))).await.json()["state"], "revoked");
    assert_eq!(program.api(Method::POST, &format!("{path}/approve"), Some(json!({}))).await.json()["state"], "active");
    let all = program.api(Method::GET, "/registrations?printer=office", None).await.json();
    assert_eq!(all.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn tokens_are_made_and_only_those_for_administration_count() {
    let world = World::small().await;
    let mut program = program(&world).await;
    let token =
        program.api(Method::POST, "/admin/token", Some(json!({}))).await.json()["token"].as_str().unwrap().to_owned();
    let mut other = world.browser().with("authorization", &format!("Bearer {token}"));
    other.api(Method::GET, "/printers", None).await.is(200);
    let printer = world.printer_named("office").await.uuid;
    let report = world
        .spooler
        .new_token(tympan_engine::OwnerId::FIRST, tympan_engine::TokenScope::Report { printer }, None)
        .await
        .unwrap();
    world
        .browser()
        .with("authorization", &format!("Bearer {report}"))
        .api(Method::GET, "/printers", None)
        .await
        .is(401);
    world.browser().with("authorization", "Basic b2xnYTp4").api(Method::GET, "/printers", None).await.is(401);
    let listed = program.api(Method::GET, "/admin/tokens", None).await.json();
    let listed: Vec<_> =
        listed.as_array().unwrap().iter().map(|row| (row["scope"].clone(), row["printer"].clone())).collect();
    assert!(listed.contains(&(json!("report"), json!("office"))), "{listed:?}");
    let short = program.api(Method::POST, "/admin/token", Some(json!({ "good_for": "2 hours" }))).await.json();
    assert!(short["expires_at"].is_string());
    program.api(Method::POST, "/admin/token", Some(json!({ "good_for": "for ever" }))).await.is(422);
    let hash = tympan_spooler::access::token_hash(&token);
    let id: String = hash[..4].iter().map(|octet| format!("{octet:02x}")).collect();
    program.api(Method::POST, &format!("/admin/tokens/{id}/revoke"), Some(json!({}))).await.is(200);
    other.api(Method::GET, "/printers", None).await.is(401);
    program.api(Method::POST, &format!("/admin/tokens/{id}/revoke"), Some(json!({}))).await.is(404);
    program
        .api(Method::POST, "/admin/reset-password", Some(json!({ "account": "nobody", "password": "a good long one" })))
        .await
        .is(404);
    program
        .api(Method::POST, "/admin/reset-password", Some(json!({ "account": "", "password": "short" })))
        .await
        .is(422)
        .has("10 characters");
    // A body that is no JSON, or too large, is refused.
    program.send(Method::POST, "/api/v1/printers", &[("content-type", "text/plain")], b"{}".to_vec()).await.is(415);
    program
        .send(Method::POST, "/api/v1/printers", &[("content-type", "application/json")], b"{".to_vec())
        .await
        .is(400);
    program
        .send(Method::POST, "/api/v1/printers", &[("content-type", "application/json")], vec![b' '; 70_000])
        .await
        .is(413);
}

#[tokio::test]
async fn a_token_for_an_account_may_do_what_the_account_may() {
    let world = World::small().await;
    let anna = world.account(tympan_engine::OwnerId::FIRST, "anna", tympan_engine::Right::Print, &[]).await;
    let mut program = program(&world).await;
    let page = program.api(Method::POST, "/admin/token", Some(json!({ "account": "Anna", "good_for": "1 day" }))).await;
    page.is(201);
    let made = page.json()["token"].as_str().unwrap().to_owned();
    program.api(Method::POST, "/admin/token", Some(json!({ "account": "nobody" }))).await.is(422).has("nobody");
    let listed = program.api(Method::GET, "/admin/tokens", None).await.json();
    let hers = listed.as_array().unwrap().iter().find(|token| token["scope"] == "account").unwrap().clone();
    assert_eq!((&hers["account"], hers["expires_at"].is_string()), (&json!("anna"), true));

    let mut hers_in_use = world.browser().with("authorization", &format!("Bearer {made}"));
    hers_in_use.api(Method::GET, "/printers", None).await.is(200);
    hers_in_use.api(Method::POST, "/printers/office/pause", None).await.is(403);
    hers_in_use.api(Method::POST, "/admin/token", None).await.is(401);
    let revoke = format!("/admin/tokens/{}/revoke", hers["id"].as_str().unwrap());
    program.api(Method::POST, &revoke, None).await.is(200);
    hers_in_use.api(Method::GET, "/printers", None).await.is(401);
    // A new password ends those of programs as well.
    let page = program.api(Method::POST, "/admin/token", Some(json!({ "account": "anna" }))).await;
    let made = page.json()["token"].as_str().unwrap().to_owned();
    let mut again = world.browser().with("authorization", &format!("Bearer {made}"));
    again.api(Method::GET, "/printers", None).await.is(200);
    let new = json!({ "account": anna.name, "password": "another good long one" });
    let page = program.api(Method::POST, "/admin/reset-password", Some(new)).await;
    assert_eq!(page.json()["tokens_ended"], 1);
    again.api(Method::GET, "/printers", None).await.is(401);
}
