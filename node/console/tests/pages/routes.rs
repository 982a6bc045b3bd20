//! Every route of the table, in every role; every form without its token.

use crate::world::{Browser, World};
use tympan_console::{LinkKind, Place, Policy};
use tympan_engine::{JobOptions, Language, OwnerId, Right, TokenScope};
use tympan_http::Method;
use tympan_store::Whose;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Nobody,
    OtherOwner,
    Print,
    Operate,
    Own,
    Program,
}

const ROLES: [Role; 6] = [Role::Nobody, Role::OtherOwner, Role::Print, Role::Operate, Role::Own, Role::Program];

/// A world with one printer, one job and one registration, none of them of the role with the right to print.
struct Case {
    world: World,
    job: String,
    registration: String,
    job_token: String,
    registration_token: String,
}

async fn case() -> Case {
    let world = World::small().await;
    world.account(OwnerId::FIRST, "zoe", Right::Print, &[]).await;
    let printer = world.printer_named("office").await;
    let registration =
        world.spooler.register(&printer, "anna@example.org", Language::En, JobOptions::default()).await.unwrap();
    let job = world.waiting_job("invoice.pdf", "anna@example.org").await;
    let scope = TokenScope::Registration { registration: registration.id };
    let registration_token = world.spooler.new_token(OwnerId::FIRST, scope, None).await.unwrap();
    let job_token = world.spooler.new_token(OwnerId::FIRST, TokenScope::Job { job }, None).await.unwrap();
    Case {
        world,
        job: job.short().to_string(),
        registration: registration.id.to_string(),
        job_token,
        registration_token,
    }
}

impl Case {
    fn path(&self, pattern: &str) -> String {
        let token = if pattern.starts_with("/j/") { &self.job_token } else { &self.registration_token };
        pattern
            .replace("{printer}", "office")
            .replace("{job}", &self.job)
            .replace("{registration}", &self.registration)
            .replace("{token}", token)
            .replace("{verb}", "hold")
            .replace("{name}", "console.css")
    }

    async fn browser(&self, role: Role) -> Browser {
        let (owner, right) = match role {
            Role::Nobody => {
                let mut browser = self.world.browser();
                browser.get("/sign-in").await;
                return browser;
            }
            Role::Program => {
                let token = self.world.admin_token().await;
                let mut browser = self.world.browser().with("authorization", &format!("Bearer {token}"));
                browser.get("/sign-in").await;
                return browser;
            }
            Role::OtherOwner => (OwnerId(2), Right::Own),
            Role::Print => (OwnerId::FIRST, Right::Print),
            Role::Operate => (OwnerId::FIRST, Right::Operate),
            Role::Own => (OwnerId::FIRST, Right::Own),
        };
        let account = self.world.account(owner, &format!("{role:?}").to_lowercase(), right, &[]).await;
        self.world.signed_in(&account).await
    }

    async fn ask(&self, browser: &mut Browser, method: &Method, path: &str) -> u16 {
        // A page by link shows forms with a token of their own; the session's stays what it is.
        let csrf = browser.csrf.clone();
        let page = if path.starts_with("/api/") {
            let body = (*method != Method::GET).then(|| body_for(path));
            browser.api(method.clone(), path.strip_prefix("/api/v1").unwrap(), body).await
        } else if *method == Method::GET {
            browser.get(path).await
        } else {
            // The forms of a link carry a token made from the link.
            if path.starts_with("/j/") || path.starts_with("/r/") {
                let page = path.split('/').take(3).collect::<Vec<_>>().join("/");
                browser.get(&page).await;
            }
            let fields = [("name", "zoe"), ("language", "en"), ("confirm", "office"), ("sender", "new@example.org")];
            browser.post(path, &fields).await
        };
        browser.csrf = csrf;
        page.status.as_u16()
    }
}

fn body_for(path: &str) -> serde_json::Value {
    use serde_json::json;
    match path.rsplit('/').next().unwrap() {
        "printers" => json!({ "name": "lobby", "device": "ipp://192.0.2.7/ipp/print" }),
        "registrations" => json!({ "printer": "office", "sender": "new@example.org" }),
        "decide" => json!({ "decision": "fine" }),
        "keep" => json!({ "span": "2 days" }),
        "reset-password" => json!({ "account": "zoe", "password": "a good long one" }),
        _ => json!({}),
    }
}

/// What the policy alone says must come: a refusal, or `None` for "it is let through".
fn refusal(policy: &Policy, role: Role, method: &Method) -> Option<u16> {
    let page = *policy != Policy::Token && !matches!(policy, Policy::Api(..));
    let (needed, place) = match policy {
        Policy::Public | Policy::Machine | Policy::Link(_) => return None,
        Policy::SetUp => return Some(404),
        Policy::Token => return (role != Role::Program).then_some(401),
        Policy::SignedIn(right, place) | Policy::Api(right, place) => (*right, *place),
    };
    let right = match role {
        // Pages know no bearer tokens: a program is sent to the sign-in like anybody.
        Role::Nobody => return Some(if page { 303 } else { 401 }),
        Role::Program if page => return Some(303),
        Role::OtherOwner | Role::Own | Role::Program => Right::Own,
        Role::Operate => Right::Operate,
        Role::Print => Right::Print,
    };
    let elsewhere = matches!(place, Place::Printer(_) | Place::Job(_) | Place::Registration(_));
    if role == Role::OtherOwner && elsewhere {
        return Some(404);
    }
    match place {
        // Another's job, another's registration: not even that it exists.
        Place::Job(_) if right < Right::Operate => Some(404),
        Place::Registration(_) if right < Right::Own => Some(404),
        _ if right < needed => Some(403),
        _ => {
            let _ = method;
            None
        }
    }
}

#[tokio::test]
async fn every_route_lets_through_whom_its_policy_names_and_nobody_else() {
    let shared = case().await;
    let table: Vec<(Method, String, Policy)> = shared
        .world
        .console
        .router()
        .routes()
        .map(|route| (route.method.clone(), route.pattern.to_owned(), *route.policy))
        .collect();
    assert!(table.len() > 60, "{}", table.len());
    for role in ROLES {
        let mut reader = shared.browser(role).await;
        for (method, pattern, policy) in &table {
            if pattern.ends_with("/events") {
                continue;
            }
            // What changes something gets a world of its own.
            let (own, mut writer);
            let (case, browser) = if *method == Method::GET || refusal(policy, role, method).is_some() {
                (&shared, &mut reader)
            } else {
                own = self::case().await;
                writer = own.browser(role).await;
                (&own, &mut writer)
            };
            let path = case.path(pattern);
            let status = case.ask(browser, method, &path).await;
            match refusal(policy, role, method) {
                Some(expected) => {
                    assert_eq!(status, expected, "{role:?} {method} {path} {policy:?}")
                }
                None => {
                    let through = match (role, pattern.as_str()) {
                        // Another owner's printer is no printer of his.
                        (Role::OtherOwner, "/api/v1/registrations" | "/people/remove") if *method == Method::POST => {
                            true
                        }
                        (Role::OtherOwner, "/api/v1/admin/reset-password") => true,
                        // No machine waits with that code.
                        (_, "/pair") if *method == Method::POST => status == 422,
                        // No token has that number.
                        (_, "/api/v1/admin/tokens/{id}/revoke") => status == 404,
                        // Nothing is in doubt, nothing was printed yet, nothing can be removed while a job waits.
                        _ => !matches!(status, 401 | 403 | 404 | 500..),
                    };
                    assert!(through, "{role:?} {method} {path} {policy:?}: {status}");
                }
            }
            if *method != Method::GET && refusal(policy, role, method).is_none() {
                reader = shared.browser_again(role).await;
            }
        }
    }
    // None of what was refused had an effect.
    let printer = shared.world.printer_named("office").await;
    assert!(!printer.paused && !printer.removed);
    let job = shared.world.spooler.find_job(Whose::Everyones, &shared.job).await.unwrap();
    assert!(job.is_waiting());
}

impl Case {
    /// A new session of an account that exists already.
    async fn browser_again(&self, role: Role) -> Browser {
        let name = format!("{role:?}").to_lowercase();
        match self.world.spooler.records().account_by_name(Whose::Everyones, &name).await.unwrap() {
            Some(row) => self.world.signed_in(&row.record).await,
            None => self.browser(role).await,
        }
    }
}

#[tokio::test]
async fn a_link_is_good_for_its_one_record_only() {
    let case = case().await;
    let mut browser = case.world.browser();
    for (method, pattern, policy) in
        case.world.console.router().routes().map(|r| (r.method.clone(), r.pattern.to_owned(), *r.policy))
    {
        let Policy::Link(kind) = policy else { continue };
        let other = match kind {
            LinkKind::Job => &case.registration_token,
            LinkKind::Registration => &case.job_token,
        };
        for token in [other.as_str(), "0", &"f".repeat(64)] {
            let path = pattern.replace("{token}", token).replace("{verb}", "hold");
            let status = case.ask(&mut browser, &method, &path).await;
            assert_eq!(status, 404, "{method} {path}");
        }
    }
    // And no way into the API or the pages of people who signed in.
    let mut program = case.world.browser().with("authorization", &format!("Bearer {}", case.job_token));
    program.api(Method::GET, "/jobs", None).await.is(401);
    program.get("/").await.is(303);
    // Over when its time is over.
    let scope = TokenScope::Job { job: case.world.spooler.find_job(Whose::Everyones, &case.job).await.unwrap().uuid };
    let end = case.world.spooler.now();
    let old = case.world.spooler.new_token(OwnerId::FIRST, scope, Some(end)).await.unwrap();
    browser.get(&format!("/j/{old}")).await.is(404).has("not in force");
}

#[tokio::test]
async fn t13_no_form_works_without_its_token_or_from_another_site() {
    let mut tried = 0;
    for before_set_up in [true, false] {
        let (world, case) = match before_set_up {
            true => (Some(World::empty().await), None),
            false => (None, Some(case().await)),
        };
        let world = world.as_ref().unwrap_or_else(|| &case.as_ref().unwrap().world);
        let owner = match before_set_up {
            true => {
                let mut browser = world.browser();
                browser.get("/setup").await;
                browser
            }
            false => case.as_ref().unwrap().browser(Role::Own).await,
        };
        for (method, pattern, policy) in
            world.console.router().routes().map(|r| (r.method.clone(), r.pattern.to_owned(), *r.policy))
        {
            // What programs post counts no cookie: there is nothing that another site could use.
            let without_cookie = matches!(policy, Policy::Token | Policy::Machine);
            if method == Method::GET || (policy == Policy::SetUp) != before_set_up || without_cookie {
                continue;
            }
            let path = case.as_ref().map_or(pattern.clone(), |case| case.path(&pattern));
            let mut browser = owner.clone();
            if path.starts_with("/j/") || path.starts_with("/r/") {
                browser.cookies.clear();
                browser.get(&path.split('/').take(3).collect::<Vec<_>>().join("/")).await;
            }
            let good = browser.csrf.clone();
            assert!(!good.is_empty());
            let wrong = "0".repeat(good.len());
            for (token, site) in [
                (None, Some("same-origin")),
                (Some(wrong.as_str()), Some("same-origin")),
                (Some(good.as_str()), Some("cross-site")),
                (Some(good.as_str()), Some("same-site")),
                (Some(good.as_str()), None),
            ] {
                let status = if path.starts_with("/api/") {
                    let mut headers = vec![("content-type", "application/json")];
                    headers.extend(token.map(|token| ("x-csrf", token)));
                    headers.extend(site.map(|site| ("sec-fetch-site", site)));
                    browser.send(method.clone(), &path, &headers, b"{}".to_vec()).await.status
                } else {
                    let fields: Vec<(&str, &str)> = token.map(|token| ("csrf", token)).into_iter().collect();
                    browser.post_raw(&path, &fields, site).await.status
                };
                assert_eq!(status.as_u16(), 403, "{method} {path} with {token:?} from {site:?}");
                tried += 1;
            }
            let mut foreign = browser.clone().with("origin", "https://evil.example");
            let status = if path.starts_with("/api/") {
                let headers = [("content-type", "application/json"), ("x-csrf", good.as_str())];
                foreign.send(method.clone(), &path, &headers, b"{}".to_vec()).await.status
            } else {
                foreign.post_raw(&path, &[("csrf", &good)], None).await.status
            };
            assert_eq!(status.as_u16(), 403, "{method} {path} from a foreign origin");
        }
    }
    assert!(tried > 150, "{tried}");
}
