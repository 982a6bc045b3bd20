//! A device makes itself known.

use std::future::Future;
use std::pin::Pin;

use tympan_engine::Printer;

/// Makes a device make itself known: it beeps, blinks, or shows a message.
pub trait Identify: Send + Sync + 'static {
    /// Asks the device; `actions` are keywords of "identify-actions", none for its default. A device that cannot do
    /// it is left alone.
    ///
    /// # Errors
    /// A sentence, when it could not be asked.
    fn identify<'a>(
        &'a self,
        printer: &'a Printer,
        actions: &'a [String],
        message: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;
}

/// No device can.
#[derive(Clone, Copy, Debug)]
pub struct NoIdentify;

impl Identify for NoIdentify {
    fn identify<'a>(
        &'a self,
        _printer: &'a Printer,
        _actions: &'a [String],
        _message: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        Box::pin(async { Ok(()) })
    }
}
