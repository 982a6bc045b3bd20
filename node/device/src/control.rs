//! The buttons of a running printer, pressed from another program: `tympan printer` and tests.

use std::time::Duration;

use tympan_http::{Body, Client, ClientError, ClientOptions, ClientRequest, StatusCode, Target, TargetError};

use crate::model::Change;
use crate::state::DeviceState;

/// Speaks to the page of a virtual printer.
#[derive(Debug, Clone)]
pub struct Control {
    client: Client,
    page: Target,
}

/// Why a printer was not asked or told.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The address is none.
    #[error("this is no address of a virtual printer's page")]
    Address(#[source] TargetError),
    /// Nobody answers there.
    #[error("the virtual printer's page does not answer")]
    Http(#[source] ClientError),
    /// The printer refused; its own words.
    #[error("{0}")]
    Refused(String),
    /// Something else answers there.
    #[error("this is no virtual printer")]
    OtherAnswer(#[source] serde_json::Error),
}

impl Control {
    /// The printer whose page is at `page_url`, `http://127.0.0.1:8080/`.
    ///
    /// # Errors
    /// When the address is none.
    pub fn new(page_url: &str) -> Result<Self, ControlError> {
        let options = ClientOptions {
            answer_octets_max: 4 << 20,
            whole_time_out: Some(Duration::from_secs(60)),
            ..ClientOptions::default()
        };
        let page = Target::parse(page_url).map_err(ControlError::Address)?;
        Ok(Self { client: Client::new(options), page })
    }

    /// The printer as it is.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn state(&self) -> Result<DeviceState, ControlError> {
        self.call(ClientRequest::get(&self.page.with_path("/state"))).await
    }

    /// The printer when it has changed since `revision`, or after half a minute as it is.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn state_after(&self, revision: u64) -> Result<DeviceState, ControlError> {
        let path = format!("/state?after={revision}&wait=25");
        self.call(ClientRequest::get(&self.page.with_path(&path))).await
    }

    /// Does something to the printer; gives how it is then.
    ///
    /// # Errors
    /// When it cannot be told, or the change names something that is not there.
    pub async fn apply(&self, change: &Change) -> Result<DeviceState, ControlError> {
        let json = serde_json::to_vec(change).map_err(ControlError::OtherAnswer)?;
        let target = self.page.with_path("/faults");
        self.call(ClientRequest::post(&target, "application/json", Body::full(json))).await
    }

    async fn call(&self, request: ClientRequest) -> Result<DeviceState, ControlError> {
        let answer = self.client.request(request).await.map_err(ControlError::Http)?;
        let status = answer.status;
        let body = answer.body.collect().await.map_err(ControlError::Http)?;
        if status != StatusCode::OK {
            return Err(ControlError::Refused(String::from_utf8_lossy(&body).trim().to_owned()));
        }
        serde_json::from_slice(&body).map_err(ControlError::OtherAnswer)
    }
}
