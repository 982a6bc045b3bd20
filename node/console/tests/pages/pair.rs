//! A machine is paired with the place (E01): the device grant of OAuth 2.0 (RFC 8628) as machines speak it, and the page
//! on which the owner compares or types the code.

use crate::world::{Browser, World};
use serde_json::{Value, json};
use tympan_engine::{OwnerId, Right, TokenScope};
use tympan_http::Method;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Posts a form as a program does: no cookie, no origin.
async fn post(world: &World, path: &str, fields: &str) -> (u16, Value) {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let page = world.browser().send(Method::POST, path, &headers, fields.as_bytes().to_vec()).await;
    if page.status == 200 {
        assert_eq!(page.headers["cache-control"], "no-store");
    }
    (page.status.as_u16(), page.json())
}

async fn ask(world: &World) -> Value {
    let fields = "client_id=tympan-agent&scope=agent&name=Shop+floor&printer=Label+printer&printer=Office";
    let (status, asked) = post(world, "/oauth/device_authorization", fields).await;
    assert_eq!(status, 200, "{asked}");
    asked
}

async fn poll(world: &World, asked: &Value) -> (u16, Value) {
    let code = asked["device_code"].as_str().unwrap();
    post(world, "/oauth/token", &format!("grant_type={GRANT}&client_id=tympan-agent&device_code={code}")).await
}

async fn owner(world: &World) -> Browser {
    let anna = world.account(OwnerId::FIRST, "anna", Right::Own, &[]).await;
    world.signed_in(&anna).await
}

#[tokio::test]
async fn e01_a_machine_shows_a_code_its_owner_compares_it_and_it_gets_a_token_once() {
    let world = World::small().await;
    let metadata = world.browser().get("/.well-known/oauth-authorization-server").await;
    metadata.is(200);
    let metadata = metadata.json();
    assert_eq!(metadata["grant_types_supported"], json!([GRANT]));
    assert!(metadata["device_authorization_endpoint"].as_str().unwrap().ends_with("/oauth/device_authorization"));

    let asked = ask(&world).await;
    let code = asked["user_code"].as_str().unwrap();
    let place = asked["verification_uri_complete"].as_str().unwrap();
    assert_eq!((code.len(), asked["interval"].is_u64(), asked["expires_in"].as_u64()), (9, true, Some(600)));
    assert_eq!(
        poll(&world, &asked).await,
        (400, json!({ "error": "authorization_pending", "error_description": "the owner has not decided yet" }))
    );

    // Who has not signed in does that first, and comes back to the code.
    let path = place.split_once("/pair").unwrap().1;
    let path = format!("/pair{path}");
    let first = world.browser().get(&path).await;
    first.is(303);
    assert!(first.location().starts_with("/sign-in") && first.location().contains("pair"), "{}", first.location());
    let mut owner = owner(&world).await;
    let page = owner.get(&path).await;
    page.is(200).has(code).has("Shop floor").has("Label printer, Office").has("127.0.0.1");
    // Looking decides nothing.
    assert_eq!(poll(&world, &asked).await.1["error"], "authorization_pending");
    owner.post("/pair", &[("code", code), ("decision", "yes")]).await.is(303);
    let (_, denied) = post(&world, "/oauth/token", &format!("grant_type={GRANT}&device_code=nonsense")).await;
    assert_eq!(denied["error"], "expired_token");
    let (status, granted) = poll(&world, &asked).await;
    assert_eq!((status, &granted["token_type"], &granted["scope"]), (200, &json!("Bearer"), &json!("agent")));
    let token = world.spooler.token(granted["access_token"].as_str().unwrap()).await.unwrap().unwrap();
    assert!(matches!(&token.scope, TokenScope::Agent { name, .. } if name == "Shop floor"), "{token:?}");
    assert_eq!(poll(&world, &asked).await.1["error"], "expired_token", "a token is given once");
    // The page does not know the code any more.
    owner.get(&path).await.is(422).has("No machine waits");

    // It is listed and revoked like others, and opens nothing else.
    let admin = world.admin_token().await;
    let mut program = world.browser().with("authorization", &format!("Bearer {admin}"));
    let listed = program.api(Method::GET, "/admin/tokens", None).await.json();
    let listed = listed.as_array().unwrap().iter().find(|token| token["scope"] == "agent").unwrap().clone();
    assert_eq!((&listed["machine"], &listed["account"]), (&json!("Shop floor"), &json!("anna")));
    let mut machine =
        world.browser().with("authorization", &format!("Bearer {}", granted["access_token"].as_str().unwrap()));
    machine.api(Method::GET, "/printers", None).await.is(401);
    program.api(Method::POST, &format!("/admin/tokens/{}/revoke", listed["id"].as_str().unwrap()), None).await.is(200);
    assert_eq!(world.spooler.token(granted["access_token"].as_str().unwrap()).await.unwrap(), None);
}

#[tokio::test]
async fn e01_a_code_is_typed_and_refused_and_not_guessed() {
    let world = World::small().await;
    let mut owner = owner(&world).await;
    let asked = ask(&world).await;
    owner.get("/pair").await.is(200).has("WDJB-MJHT");
    let typed = asked["user_code"].as_str().unwrap().replace('-', " ").to_lowercase();
    owner.post("/pair", &[("code", &typed)]).await.is(200).has("Shop floor");
    owner.post("/pair", &[("code", &typed), ("decision", "no")]).await.is(303);
    assert_eq!(poll(&world, &asked).await.1["error"], "access_denied");
    // Who only prints pairs nothing.
    let bob = world.account(OwnerId::FIRST, "bob", Right::Print, &[]).await;
    world.signed_in(&bob).await.get("/pair").await.is(403);
    for _ in 0..10 {
        owner.post("/pair", &[("code", "BBBB-BBBB")]).await;
    }
    owner.post("/pair", &[("code", "BBBB-BBBB")]).await.is(429);
}

#[tokio::test]
async fn bad_requests_of_machines_are_told_what_is_wrong() {
    let world = World::small().await;
    for (path, fields, error) in [
        ("/oauth/device_authorization", "scope=agent", "invalid_request"),
        ("/oauth/device_authorization", "client_id=x&scope=admin", "invalid_scope"),
        ("/oauth/token", "grant_type=password&username=a&password=b", "unsupported_grant_type"),
        ("/oauth/token", "grant_type=urn:ietf:params:oauth:grant-type:device_code", "expired_token"),
    ] {
        let (status, said) = post(&world, path, fields).await;
        assert_eq!((status, said["error"].as_str()), (400, Some(error)), "{path} {fields}");
    }
    // What a machine says of itself is shown as text, and cut.
    let hostile = format!("client_id=x&name=%3Cscript%3Exss(1)%3C/script%3E{}", "x".repeat(300));
    let (_, asked) = post(&world, "/oauth/device_authorization", &hostile).await;
    let page = owner(&world).await.get(&format!("/pair?code={}", asked["user_code"].as_str().unwrap())).await;
    page.is(200).has_not("<script>xss").has_not(&"x".repeat(80));
    let mut last = 0;
    for _ in 0..12 {
        let page = world
            .browser()
            .send(
                Method::POST,
                "/oauth/device_authorization",
                &[("content-type", "application/x-www-form-urlencoded")],
                b"client_id=x".to_vec(),
            )
            .await;
        last = page.status.as_u16();
    }
    assert_eq!(last, 429, "one source cannot fill the list");
}
