//! Set-up, sign-in, sessions, languages.

use crate::world::World;
use tympan_engine::{OwnerId, Right};
use tympan_http::{Method, header};
use tympan_store::Whose;

const PASSWORD: &str = "correct horse battery";

async fn set_up(world: &World) -> crate::world::Browser {
    let mut browser = world.browser();
    let code = world.console.set_up_code().unwrap();
    browser.get("/setup").await.is(200);
    let fields = [("code", code.as_str()), ("name", " Olga "), ("password", PASSWORD), ("again", PASSWORD)];
    let page = browser.post("/setup", &fields).await;
    page.is(303);
    assert_eq!(page.location(), "/?said=set-up");
    browser
}

#[tokio::test]
async fn the_first_account_is_made_once_with_the_code_and_then_there_is_no_such_page() {
    let world = World::empty().await;
    assert!(world.console.set_up_url().unwrap().starts_with(&format!("http://{}/setup?code=", world.addr)));
    let mut browser = world.browser();
    assert_eq!(browser.get("/").await.location(), "/sign-in");
    assert_eq!(browser.get("/sign-in").await.location(), "/setup");
    browser.get("/setup?code=ABCD-EFGH").await.is(200).has("value=\"ABCD-EFGH\"");
    let code = world.console.set_up_code().unwrap();
    for (code, name, password, again) in [
        ("00000000", "olga", PASSWORD, PASSWORD),
        (&code, "", PASSWORD, PASSWORD),
        (&code, "olga", "too short", "too short"),
        (&code, "olga", PASSWORD, "another one here"),
    ] {
        let fields = [("code", code), ("name", name), ("password", password), ("again", again)];
        browser.post("/setup", &fields).await.is(422).has("role=\"alert\"");
    }
    assert!(world.spooler.records().accounts(Whose::Everyones).await.unwrap().is_empty());

    let mut olga = set_up(&world).await;
    let account = world.spooler.records().accounts(Whose::Everyones).await.unwrap().remove(0).record;
    assert_eq!((account.name.as_str(), account.right, account.owner), ("olga", Right::Own, OwnerId::FIRST));
    assert!(account.password_hash.unwrap().starts_with("$argon2id$"));
    olga.get("/?said=set-up").await.is(200).has("No printers yet").has("Now add a printer");

    assert_eq!(world.console.set_up_code(), None);
    browser.get("/setup").await.is(404);
    let fields = [("code", code.as_str()), ("name", "eve"), ("password", PASSWORD), ("again", PASSWORD)];
    browser.post("/setup", &fields).await.is(404);
    olga.get("/setup").await.is(404);
}

#[tokio::test]
async fn the_code_cannot_be_guessed_at_will() {
    let world = World::empty().await;
    let mut browser = world.browser();
    browser.get("/setup").await;
    for _ in 0..5 {
        browser.post("/setup", &[("code", "00000000"), ("name", "eve"), ("password", PASSWORD)]).await.is(422);
    }
    let code = world.console.set_up_code().unwrap();
    let fields = [("code", code.as_str()), ("name", "eve"), ("password", PASSWORD), ("again", PASSWORD)];
    let page = browser.post("/setup", &fields).await;
    page.is(429).has("Too many tries");
    assert!(page.headers.contains_key(header::RETRY_AFTER));
}

#[tokio::test]
async fn a_person_signs_in_and_out_and_the_password_is_not_guessed_at_will() {
    let world = World::empty().await;
    set_up(&world).await;
    let mut browser = world.browser();
    let page = browser.get("/jobs?show=all").await;
    page.is(303);
    assert_eq!(page.location(), "/sign-in?next=/jobs%3Fshow%3Dall");
    browser.get("/sign-in?next=/jobs%3Fshow%3Dall").await.is(200);
    let page = browser.post("/sign-in", &[("name", "OLGA"), ("password", PASSWORD), ("next", "/jobs?show=all")]).await;
    assert_eq!(page.location(), "/jobs?show=all");
    let cookie = page.headers.get(header::SET_COOKIE).unwrap().to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/"), "{cookie}");
    browser.get("/account").await.is(200).has("olga");
    let stolen = browser.clone();
    browser.post("/sign-out", &[]).await.is(303);
    assert_eq!(browser.get("/account").await.location(), "/sign-in?next=/account");
    assert_eq!(stolen.clone().get("/account").await.status, 303, "the session is over, not only its cookie");

    browser.get("/sign-in").await;
    for name in ["olga", "nobody"] {
        for _ in 0..5 {
            browser.post("/sign-in", &[("name", name), ("password", "wrong wrong")]).await.is(422).has("do not fit");
        }
        browser.post("/sign-in", &[("name", name), ("password", PASSWORD)]).await.is(429);
    }
}

#[tokio::test]
async fn a_new_password_closes_all_other_sessions() {
    let world = World::empty().await;
    let mut here = set_up(&world).await;
    let mut there = world.browser();
    there.get("/sign-in").await;
    there.post("/sign-in", &[("name", "olga"), ("password", PASSWORD)]).await.is(303);
    there.get("/account").await.is(200);
    here.get("/account").await;
    let wrong = [("old", "wrong wrong"), ("new", "another good one"), ("again", "another good one")];
    here.post("/account/password", &wrong).await.is(422);
    let right = [("old", PASSWORD), ("new", "another good one"), ("again", "another good one")];
    assert_eq!(here.post("/account/password", &right).await.location(), "/account?said=password");
    here.get("/account").await.is(200);
    there.get("/account").await.is(303);
    // By the command line, all are closed, this one too.
    let token = world.admin_token().await;
    let mut program = world.browser().with("authorization", &format!("Bearer {token}"));
    let body = serde_json::json!({ "account": "", "password": PASSWORD });
    let page = program.api(Method::POST, "/admin/reset-password", Some(body)).await;
    page.is(200);
    assert_eq!(page.json()["account"], "olga");
    here.get("/account").await.is(303);
    there.get("/sign-in").await;
    there.post("/sign-in", &[("name", "olga"), ("password", PASSWORD)]).await.is(303);
    there.get("/account").await.is(200);
}

#[tokio::test]
async fn the_language_is_chosen_by_address_then_account_then_browser() {
    let world = World::small().await;
    let mut anybody = world.browser();
    anybody.get("/sign-in").await.has("<html lang=\"en\">");
    let mut japanese = world.browser().with("accept-language", "ja,en;q=0.5");
    japanese.get("/register/office").await.has("<html lang=\"ja\">").has("あなたのメールアドレス");
    anybody.get("/register/office?lang=ja").await.has("<html lang=\"ja\">");
    anybody.get("/register/office").await.has("<html lang=\"ja\">");
    anybody.get("/register/office?lang=en").await.has("<html lang=\"en\">");

    let mut owner = world.owner().await.with("accept-language", "ja");
    owner.get("/").await.has("<html lang=\"en\">");
    owner.post("/account/language", &[("language", "ja")]).await.is(303);
    owner.get("/").await.has("<html lang=\"ja\">").has("プリンター").has("印刷できる人");
    owner.get("/jobs/00000000").await.is(404).has("見つかりません");
    owner.get("/no/such/page").await.is(404).has("There is no such page").has("ページがありません");
}

#[tokio::test]
async fn pages_carry_the_header_fields_that_protect_them() {
    let world = World::small().await;
    let mut owner = world.owner().await;
    let page = owner.get("/").await;
    let policy = page.headers.get(header::CONTENT_SECURITY_POLICY).unwrap().to_str().unwrap().to_owned();
    assert!(
        policy.contains("default-src 'none'")
            && policy.contains("frame-ancestors 'none'")
            && !policy.contains("unsafe")
    );
    assert_eq!(page.headers.get(header::CACHE_CONTROL).unwrap(), "no-store");
    page.has_not(" style=").has_not(" onclick=").has_not("<style");
    let css = page.text.split("rel=\"stylesheet\" href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let page = owner.get(&css).await;
    page.is(200).has("--brand");
    assert!(page.headers.get(header::CACHE_CONTROL).unwrap().to_str().unwrap().contains("immutable"));
    assert!(!page.headers.contains_key(header::SET_COOKIE));
}

#[tokio::test]
async fn accounts_are_added_with_a_right_and_removed_with_their_sessions() {
    let world = World::small().await;
    let mut owner = world.owner().await;
    let fields = [("name", "Anna"), ("addresses", "Anna@Example.org"), ("right", "print"), ("password", PASSWORD)];
    assert_eq!(owner.post("/people", &fields).await.location(), "/account?said=person-added");
    owner.post("/people", &fields).await.is(409).has("already");
    let mut anna = world.browser();
    anna.get("/sign-in").await;
    anna.post("/sign-in", &[("name", "anna"), ("password", PASSWORD)]).await.is(303);
    anna.get("/account").await.is(200).has("anna@example.org").has_not("Add an account");
    anna.post("/people", &fields).await.is(403);
    owner.post("/people/remove", &[("name", "anna")]).await.is(303);
    anna.get("/account").await.is(303);
    owner.post("/people/remove", &[("name", "olga")]).await.is(403);
}
