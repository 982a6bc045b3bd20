//! A raw port (9100): octets go in, and that is all that can be known.
//!
//! One connection is one job; a half-close ends it, and the device's own close says that it took all
//! (`E1`). Nothing says that paper came out. A reset after the first octet leaves everything open.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tympan_engine::{Condition, DeviceProfile, DeviceRef, Printer, Reachability, ShortId};

use super::{
    Answer, Answered, Canceling, Created, Document, Found, Later, Output, OutputTimes, Sent, Status, Ticket, formats_of,
};

/// The port of a raw device that names none.
const PORT: u16 = 9100;
/// Octets read from the document at a time.
const PIECE: usize = 32 * 1024;
/// Octets of what a device says back that are read and thrown away before it counts as nonsense.
const BACK_OCTETS_MAX: u64 = 1 << 20;

/// The output to raw ports.
#[derive(Debug)]
pub struct SocketOutput {
    times: OutputTimes,
}

impl SocketOutput {
    /// Makes it.
    pub fn new(times: OutputTimes) -> Self {
        Self { times }
    }

    async fn send(&self, printer: &Printer, mut document: Document) -> Sent {
        let mut stream = match connect(printer).await {
            Ok(stream) => stream,
            Err(why) => return Sent::Broken { octets: 0, why },
        };
        let mut octets = 0u64;
        let mut piece = vec![0; PIECE];
        loop {
            let read = match document.reader.read(&mut piece).await {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) => {
                    return Sent::Broken { octets, why: format!("the document could not be read: {error}") };
                }
            };
            let mut left = &piece[..read];
            while !left.is_empty() {
                match timeout(self.times.stall, stream.write(left)).await {
                    Ok(Ok(0)) => {
                        return Sent::Broken { octets, why: "the device takes no more".into() };
                    }
                    Ok(Ok(written)) => {
                        octets += written as u64;
                        left = &left[written..];
                    }
                    Ok(Err(error)) => {
                        return Sent::Broken { octets, why: format!("the line broke: {error}") };
                    }
                    Err(_) => {
                        return Sent::Broken { octets, why: "the device took nothing for too long".into() };
                    }
                }
            }
        }
        if octets != document.octets {
            return Sent::Broken { octets, why: "the document is not as long as it should be".into() };
        }
        match timeout(self.times.close, finish(&mut stream)).await {
            Ok(Ok(())) => Sent::Taken,
            Ok(Err(error)) => Sent::Broken { octets, why: format!("the line broke at the end: {error}") },
            Err(_) => Sent::Broken { octets, why: "the device did not close the connection".into() },
        }
    }
}

/// Says that no more comes, and waits until the device closes too: a close before would lose data.
async fn finish(stream: &mut TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    let mut back = [0; 1024];
    let mut octets = 0;
    loop {
        match stream.read(&mut back).await? {
            0 => return Ok(()),
            read => octets += read as u64,
        }
        if octets > BACK_OCTETS_MAX {
            return Err(io::Error::other("it talks without end"));
        }
    }
}

async fn connect(printer: &Printer) -> Result<TcpStream, String> {
    let (host, port) = place(&printer.device)?;
    let within = Duration::from_millis(printer.policy.time_out_ms);
    match timeout(within, TcpStream::connect((host, port))).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(format!("no connection: {error}")),
        Err(_) => Err("no connection in time".into()),
    }
}

/// Host and port of `socket://host[:port][/][?format=..]`.
fn place(device: &str) -> Result<(&str, u16), String> {
    let bad = || format!("`{device}` is not socket://host[:port]");
    let rest = device.strip_prefix("socket://").ok_or_else(bad)?;
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let (host, port) = match authority.strip_prefix('[') {
        Some(v6) => {
            let (host, after) = v6.split_once(']').ok_or_else(bad)?;
            (host, after.strip_prefix(':'))
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let port = port.map_or(Ok(PORT), str::parse).map_err(|_| bad())?;
    if host.is_empty() || port == 0 { Err(bad()) } else { Ok((host, port)) }
}

/// What a device that cannot be asked is taken to be.
fn profile(device: &str) -> DeviceProfile {
    let formats = formats_of(device);
    match formats.is_empty() {
        true => DeviceProfile::assumed(&["image/pwg-raster", "application/pdf"]),
        false => DeviceProfile::assumed(&formats),
    }
}

impl Output for SocketOutput {
    fn ask<'a>(&'a self, printer: &'a Printer) -> Later<'a, Answer> {
        Box::pin(async move {
            match connect(printer).await {
                // Many devices take one connection at a time: this one ends at once, with no octet sent.
                Ok(stream) => {
                    drop(stream);
                    Answer::Answered(Box::new(Answered {
                        condition: Condition { reachability: Reachability::Reachable, ..Condition::default() },
                        profile: Some(profile(&printer.device)),
                        up_time_secs: None,
                        fingerprint: None,
                    }))
                }
                Err(_) => Answer::Silent,
            }
        })
    }

    fn create_job<'a>(&'a self, _: &'a Printer, _: &'a Ticket) -> Later<'a, Created> {
        Box::pin(async { Created::NotNeeded })
    }

    fn send_document<'a>(
        &'a self,
        printer: &'a Printer,
        _: Option<&'a DeviceRef>,
        _: &'a Ticket,
        document: Document,
    ) -> Later<'a, Sent> {
        Box::pin(self.send(printer, document))
    }

    fn status<'a>(&'a self, _: &'a Printer, _: &'a DeviceRef, _: ShortId) -> Later<'a, Status> {
        Box::pin(async { Status::Unknown })
    }

    fn find<'a>(&'a self, _: &'a Printer, _: ShortId) -> Later<'a, Found> {
        Box::pin(async { Found::CannotTell })
    }

    fn cancel<'a>(&'a self, _: &'a Printer, _: &'a DeviceRef) -> Later<'a, Canceling> {
        Box::pin(async { Canceling::NotPossible("a raw port takes no commands".into()) })
    }

    fn can_confirm(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_device_is_named_by_host_and_port() {
        assert_eq!(place("socket://192.0.2.7").unwrap(), ("192.0.2.7", 9100));
        assert_eq!(place("socket://h:9101/?format=application/pdf").unwrap(), ("h", 9101));
        assert_eq!(place("socket://[2001:db8::1]:9102").unwrap(), ("2001:db8::1", 9102));
        for bad in ["socket://", "socket://:9100", "socket://h:0", "socket://h:x", "ipp://h"] {
            assert!(place(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn its_formats_are_assumed_unless_its_uri_says_them() {
        assert!(profile("socket://h").takes("image/pwg-raster"));
        let pdf_only = profile("socket://h?format=application/pdf");
        assert!(pdf_only.takes("application/pdf") && !pdf_only.takes("image/pwg-raster"));
    }
}
