//! A headless Chromium, driven over its debugging pipe (Chrome DevTools Protocol): a browser as people have it.

use std::cell::{Cell, RefCell};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use serde_json::{Value, json};

use super::{find, need};
use crate::process::Process;
use crate::scratch::Scratch;
use crate::wait::{wait_for, wait_until};

/// A browser with one page.
#[derive(Debug)]
pub struct Chromium {
    to: RefCell<File>,
    from: RefCell<BufReader<File>>,
    next: Cell<u64>,
    session: String,
    _process: Process,
    _scratch: Scratch,
}

impl Chromium {
    /// Whether it can run here; if not, the calling test must return.
    #[must_use]
    #[track_caller]
    pub fn need() -> bool {
        need("chromium")
    }

    /// Starts one with an empty page.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    #[track_caller]
    pub fn start() -> Self {
        let scratch = Scratch::new("chromium");
        let pipe = |name: &str| {
            let path = scratch.join(name);
            let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
            rustix::fs::mkfifoat(rustix::fs::CWD, &path, mode).expect("a pipe");
            // Both ways, so that opening it waits for nobody.
            let file = OpenOptions::new().read(true).write(true).open(&path).expect("the pipe just made");
            (path, file)
        };
        let ((to_path, to), (from_path, from)) = (pipe("to"), pipe("from"));
        let program = find("chromium").expect("`need` found it");
        // It listens on descriptor 3 and answers on 4.
        let mut command = std::process::Command::new("sh");
        command.arg("-c").arg(format!(
            "exec '{}' --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --hide-scrollbars \
             --disable-background-networking --remote-debugging-pipe --user-data-dir='{}' about:blank 3<'{}' 4>'{}'",
            program.display(),
            scratch.join("profile").display(),
            to_path.display(),
            from_path.display(),
        ));
        command.env("LANG", "C.UTF-8");
        let process = Process::start("chromium", &mut command);
        let mut chromium = Self {
            to: RefCell::new(to),
            from: RefCell::new(BufReader::new(from)),
            next: Cell::new(1),
            session: String::new(),
            _process: process,
            _scratch: scratch,
        };
        let target = chromium.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let attached =
            chromium.call("Target.attachToTarget", &json!({ "targetId": target["targetId"], "flatten": true }));
        chromium.session = attached["sessionId"].as_str().expect("a session").to_owned();
        for domain in ["Page", "Runtime", "DOM"] {
            chromium.call(&format!("{domain}.enable"), &json!({}));
        }
        chromium
    }

    /// Calls a method of the protocol and gives its result.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn call(&self, method: &str, params: &Value) -> Value {
        self.try_call(method, params).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    fn try_call(&self, method: &str, params: &Value) -> Result<Value, Value> {
        let id = self.next.replace(self.next.get() + 1);
        let mut request = json!({ "id": id, "method": method, "params": params });
        if !self.session.is_empty() {
            request["sessionId"] = json!(self.session);
        }
        let mut line = request.to_string().into_bytes();
        line.push(0);
        self.to.borrow_mut().write_all(&line).expect("the browser reads");
        loop {
            let mut said = Vec::new();
            self.from.borrow_mut().read_until(0, &mut said).expect("the browser answers");
            said.pop();
            let said: Value = serde_json::from_slice(&said).expect("JSON");
            if said["id"] == id {
                return if said["error"].is_null() { Ok(said["result"].clone()) } else { Err(said["error"].clone()) };
            }
        }
    }

    /// Opens an address and waits until the page is there.
    #[track_caller]
    pub fn open(&self, url: &str) {
        self.call("Page.navigate", &json!({ "url": url }));
        wait_until(&format!("{url} to load"), || {
            self.value("document.readyState === 'complete' && location.href !== 'about:blank'") == json!(true)
        });
    }

    /// What an expression is on the page; `null` while the page changes.
    #[must_use]
    #[track_caller]
    pub fn value(&self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        // Whoever is asked while the page goes to another one is gone.
        self.try_call("Runtime.evaluate", &params).map_or(Value::Null, |found| found["result"]["value"].clone())
    }

    /// Waits until an expression is true on the page.
    #[track_caller]
    pub fn wait(&self, expression: &str) {
        wait_for(&format!("`{expression}` on {}", self.value("location.href + document.body.innerText")), || {
            (self.value(expression) == json!(true)).then_some(())
        });
    }

    /// Writes into a field and presses nothing.
    #[track_caller]
    pub fn fill(&self, selector: &str, text: &str) {
        let script = format!(
            "(() => {{ const field = document.querySelector({}); field.value = {}; \
             field.dispatchEvent(new Event('change', {{ bubbles: true }})); return true; }})()",
            json!(selector),
            json!(text)
        );
        assert_eq!(self.value(&script), json!(true), "{selector}");
    }

    /// Presses what is there.
    #[track_caller]
    pub fn press(&self, selector: &str) {
        let script = format!("(() => {{ document.querySelector({}).click(); return true; }})()", json!(selector));
        assert_eq!(self.value(&script), json!(true), "{selector}");
    }

    /// Drops files from the desktop in the middle of an element.
    #[track_caller]
    pub fn drop_files(&self, selector: &str, files: &[&Path]) {
        let place = format!(
            "(() => {{ const box = document.querySelector({}).getBoundingClientRect(); \
             return [box.x + box.width / 2, box.y + box.height / 2]; }})()",
            json!(selector)
        );
        let place = self.value(&place);
        let data = json!({ "items": [], "files": files, "dragOperationsMask": 1 });
        for step in ["dragEnter", "dragOver", "drop"] {
            let params = json!({ "type": step, "x": place[0], "y": place[1], "data": data });
            self.call("Input.dispatchDragEvent", &params);
        }
    }

    /// Chooses files in a field.
    #[track_caller]
    pub fn choose_files(&self, selector: &str, files: &[&Path]) {
        let root = self.call("DOM.getDocument", &json!({}))["root"]["nodeId"].clone();
        let node = self.call("DOM.querySelector", &json!({ "nodeId": root, "selector": selector }))["nodeId"].clone();
        self.call("DOM.setFileInputFiles", &json!({ "files": files, "nodeId": node }));
    }

    /// Makes the window as wide as a phone (390) or a desk (1280), or any.
    #[track_caller]
    pub fn resize(&self, width: u32, height: u32) {
        let mobile = width < 700;
        let params = json!({ "width": width, "height": height, "deviceScaleFactor": if mobile { 2 } else { 1 }, "mobile": mobile });
        self.call("Emulation.setDeviceMetricsOverride", &params);
    }

    /// Whether the page is wider than its window.
    #[must_use]
    #[track_caller]
    pub fn scrolls_sideways(&self) -> bool {
        self.value("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1") == json!(true)
    }

    /// Takes a picture of the page from its top.
    #[track_caller]
    pub fn screenshot(&self, file: PathBuf) {
        let taken = self.call("Page.captureScreenshot", &json!({ "format": "png" }));
        let data = taken["data"].as_str().expect("a picture");
        let octets = base64::engine::general_purpose::STANDARD.decode(data).expect("base64");
        std::fs::write(file, octets).expect("a file");
    }
}
