//! The committed description of the API (OpenAPI 3.1) against the routes, and against every answer that tests get.

use crate::world::World;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::OnceLock;
use tympan_http::{Method, StatusCode};

/// The description.
fn description() -> &'static Value {
    static READ: OnceLock<Value> = OnceLock::new();
    READ.get_or_init(|| serde_json::from_str(include_str!("../../openapi.json")).expect("the description is JSON"))
}

/// What the description says of a request.
fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let path = path.split('?').next().unwrap_or(path);
    let fits = |pattern: &str| {
        let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return true,
                (Some(wanted), Some(given)) if wanted.starts_with('{') && !given.is_empty() || wanted == given => {}
                _ => return false,
            }
        }
    };
    let paths = description()["paths"].as_object()?;
    // What is written out goes before what is a parameter.
    let mut found: Vec<_> = paths.iter().filter(|(pattern, _)| fits(pattern)).collect();
    found.sort_by_key(|(pattern, _)| pattern.matches('{').count());
    found.first()?.1.get(method.as_str().to_lowercase())
}

fn validate(schema: &Value, value: &Value, what: &str) {
    // References lead from the root of the description.
    let mut whole = schema.clone();
    whole["components"] = description()["components"].clone();
    let validator = jsonschema::draft202012::new(&whole).unwrap_or_else(|error| panic!("{what}: {error}"));
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{error} at {}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{what}: {errors:?} in {value}");
}

/// Fails if a request that was understood, or its answer, is not as described.
pub(crate) fn check(method: &Method, path: &str, sent: Option<&Value>, status: StatusCode, kind: &str, answer: &str) {
    let what = format!("{method} {path} {status}");
    let Some(operation) = operation(method, path) else {
        assert!(matches!(status.as_u16(), 401 | 404 | 405), "{what} is not described");
        return;
    };
    let responses = &operation["responses"];
    let mut response = responses.get(status.as_str()).unwrap_or(&responses["default"]);
    if let Some(reference) = response["$ref"].as_str() {
        assert!(!status.is_success(), "{what} is not described");
        response = description().pointer(reference.trim_start_matches('#')).expect("a reference that leads somewhere");
    }
    match response["content"].as_object() {
        None => assert_eq!(answer, "", "{what}"),
        Some(content) => {
            let kind = kind.split(';').next().unwrap_or(kind);
            let described = content.get(kind).unwrap_or_else(|| panic!("{what}: {kind} is not described"));
            if kind == "application/json" {
                let answer: Value = serde_json::from_str(answer).unwrap_or_else(|error| panic!("{what}: {error}"));
                validate(&described["schema"], &answer, &what);
            }
        }
    }
    if let (true, Some(sent)) = (status.is_success(), sent) {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{what} takes a body, which is not described");
        validate(schema, sent, &format!("{what}, what was sent"));
    }
}

#[tokio::test]
async fn the_description_has_every_route_of_the_api_and_no_other() {
    let world = World::small().await;
    let mut routes = BTreeSet::new();
    for route in world.console.router().routes().filter(|route| route.pattern.starts_with("/api/")) {
        routes.insert((route.pattern.to_owned(), route.method.as_str().to_lowercase()));
    }
    let mut described = BTreeSet::new();
    let mut names = BTreeSet::new();
    for (path, methods) in description()["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap().iter().filter(|(name, _)| *name != "parameters") {
            // Documents come by another door.
            if path.starts_with("/api/") {
                described.insert((path.clone(), method.clone()));
            }
            assert!(names.insert(operation["operationId"].as_str().unwrap()), "{operation}");
            let named = |list: &Value| -> BTreeSet<String> {
                let listed = list.as_array().into_iter().flatten().filter(|one| one["in"] == "path");
                listed.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
            };
            let in_path: BTreeSet<String> = path.split(['{', '}']).skip(1).step_by(2).map(str::to_owned).collect();
            let mut given = named(&methods["parameters"]);
            given.extend(named(&operation["parameters"]));
            assert_eq!(in_path, given, "{path}");
        }
    }
    assert_eq!(routes, described);
}

#[tokio::test]
async fn the_server_shows_its_description_to_everybody() {
    let world = World::small().await;
    let page = world.browser().get("/api/v1/openapi.json").await;
    page.is(200);
    assert_eq!((&page.json(), page.json()["openapi"].as_str()), (description(), Some("3.1.0")));
    for schema in description()["components"]["schemas"].as_object().unwrap().values() {
        // Compiling it finds references that lead nowhere.
        validate(&json!({ "not": schema }), &json!("no object"), "a schema");
    }
}
