//! The command line talks to a server: through the token in its data folder, or with `--server` and `--token`.

use crate::cli::Server;
use anyhow::{Context, Result, anyhow, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use tympan_http::{Client, ClientError, ClientOptions, ClientRequest, Fingerprint, Method, Target, Verify};

/// File in the data folder by which the command line finds the server; readable by its owner only.
const LOCAL: &str = "local.json";

/// How a server on this machine is reached.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Local {
    /// Its address, `http://127.0.0.1:8631`.
    pub(crate) url: String,
    /// The token that it takes from whoever can read this file.
    pub(crate) token: String,
}

impl Local {
    /// The data folder's own token, made at first start and readable by the server's user only.
    pub(crate) fn token(data: &Path, make: impl FnOnce() -> String) -> Result<String> {
        let path = data.join("admin-token");
        match std::fs::read_to_string(&path) {
            Ok(token) if token.trim().len() >= 32 => return Ok(token.trim().to_owned()),
            _ => {}
        }
        let token = make();
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        file.write_all(token.as_bytes())?;
        file.sync_all()?;
        Ok(token)
    }

    /// Writes the file for the command line.
    pub(crate) fn write(&self, data: &Path) -> Result<()> {
        let path = data.join(LOCAL);
        let temporary = data.join("local.json.new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(serde_json::to_string_pretty(self)?.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(temporary, path)?;
        Ok(())
    }

    /// Removes the file: the server is gone.
    pub(crate) fn remove(data: &Path) {
        let _ = std::fs::remove_file(data.join(LOCAL));
    }

    fn read(data: &Path) -> Result<Self> {
        let path = data.join(LOCAL);
        let text = std::fs::read_to_string(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => anyhow!(
                "no server runs with the data folder {}\n\nhint: Start one with `tympan serve`, name its folder with --data, or a server elsewhere with --server and --token",
                data.display()
            ),
            std::io::ErrorKind::PermissionDenied => anyhow!(
                "{} may be read only by the user who runs the server\n\nhint: Use that user, or --server and --token",
                path.display()
            ),
            _ => anyhow!("could not read {}: {error}", path.display()),
        })?;
        Ok(serde_json::from_str(&text)?)
    }
}

/// A server that answers.
pub(crate) struct Remote {
    client: Client,
    base: Target,
    token: String,
    shown: String,
}

impl Remote {
    /// Finds the server that a command means.
    pub(crate) fn find(server: &Server) -> Result<Self> {
        let (url, token) = match (&server.server, &server.token) {
            (Some(url), Some(token)) => (url.clone(), token.clone()),
            (Some(_), None) => {
                bail!("--server needs --token\n\nhint: Make one there with `tympan admin token`")
            }
            (None, _) => {
                let local = Local::read(&server.data)?;
                (local.url, local.token)
            }
        };
        let verify = match &server.fingerprint {
            Some(hex) => Verify::Pinned(
                hex.parse::<Fingerprint>().map_err(|_| anyhow!("--fingerprint is 64 hexadecimal digits"))?,
            ),
            None => Verify::WebPki,
        };
        let base = Target::parse(&url).with_context(|| format!("`{url}` is no address of a server"))?;
        Ok(Self { client: Client::new(ClientOptions { verify, ..ClientOptions::default() }), base, token, shown: url })
    }

    /// Asks for something.
    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        self.send(Method::GET, path, None).await
    }

    /// Does something.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.send(Method::POST, path, Some(body)).await
    }

    /// Removes something.
    pub(crate) async fn delete(&self, path: &str) -> Result<Value> {
        self.send(Method::DELETE, path, None).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let target = self.base.with_path(&format!("/api/v1{path}"));
        let mut request = ClientRequest::new(method, &target).bearer(&self.token);
        if let Some(body) = body {
            request = request
                .header(tympan_http::header::CONTENT_TYPE, tympan_http::HeaderValue::from_static("application/json"))
                .body(serde_json::to_vec(body)?);
        }
        let answer = self.client.request(request).await.map_err(|error| self.unreachable(error))?;
        let status = answer.status;
        let octets = answer.body.collect().await.map_err(|error| self.unreachable(error))?;
        let value: Value =
            if octets.is_empty() { Value::Null } else { serde_json::from_slice(&octets).unwrap_or(Value::Null) };
        if status.is_success() {
            return Ok(value);
        }
        let said = value["error"].as_str().map_or_else(|| format!("the server answered {status}"), str::to_owned);
        match value["hint"].as_str() {
            Some(hint) => bail!("{said}\n\nhint: {hint}"),
            None => bail!(said),
        }
    }

    fn unreachable(&self, error: ClientError) -> anyhow::Error {
        anyhow!(error).context(format!("could not reach the server at {}", self.shown))
    }
}
