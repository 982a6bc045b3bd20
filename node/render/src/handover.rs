//! How an order and its document reach a worker: over a socket that is the worker's standard input.
//!
//! The document goes along as a descriptor with the order's first octets (unix(7), `SCM_RIGHTS`). So a worker is
//! started with its standard streams alone, which the system does without copying the server's memory first.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read, Seek};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::UnixStream;

/// Longest order, in octets.
const ORDER_OCTETS_MAX: usize = 1 << 20;

/// Sends an order, which ends with a line feed, and its document.
pub(crate) async fn send(to: &mut UnixStream, order: &[u8], document: &File) -> io::Result<()> {
    let sent = to
        .async_io(Interest::WRITABLE, || {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut along = SendAncillaryBuffer::new(&mut space);
            let documents = [document.as_fd()];
            if !along.push(SendAncillaryMessage::ScmRights(&documents)) {
                return Err(io::Error::other("there is no room for the document's descriptor"));
            }
            Ok(sendmsg(&*to, &[IoSlice::new(order)], &mut along, SendFlags::NOSIGNAL)?)
        })
        .await?;
    to.write_all(&order[sent..]).await
}

/// Receives what [`send`] sent; the document can only be read, and is at its beginning.
pub(crate) fn receive(from: &mut net::UnixStream) -> io::Result<(Vec<u8>, File)> {
    let mut order = vec![0; 16 << 10];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut along = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(&*from, &mut [IoSliceMut::new(&mut order)], &mut along, RecvFlags::CMSG_CLOEXEC)?;
    order.truncate(received.bytes);
    let mut documents = along.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    let document = documents.next().ok_or_else(|| io::Error::other("no document came with the order"))?;
    while order.last() != Some(&b'\n') {
        let mut more = [0; 16 << 10];
        match from.read(&mut more)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read if order.len() + read > ORDER_OCTETS_MAX => return Err(io::ErrorKind::FileTooLarge.into()),
            read => order.extend_from_slice(&more[..read]),
        }
    }
    Ok((order, read_only(document)?))
}

/// The same file opened anew: it cannot be written through, and nobody else moves its place.
fn read_only(document: OwnedFd) -> io::Result<File> {
    let number = document.as_raw_fd();
    let own = File::open(format!("/proc/self/fd/{number}")).or_else(|_| File::open(format!("/dev/fd/{number}")));
    own.or_else(|_| {
        let mut document = File::from(document);
        document.rewind().map(|()| document)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[tokio::test]
    async fn an_order_and_its_document_arrive_whole_however_long_the_order_is() {
        for octets in [1, 16 << 10, (16 << 10) + 1, 900 << 10] {
            let mut document = tempfile::tempfile().unwrap();
            document.write_all(b"what is to be printed").unwrap();
            let (ours, mut theirs) = net::UnixStream::pair().unwrap();
            ours.set_nonblocking(true).unwrap();
            let mut ours = UnixStream::from_std(ours).unwrap();
            let mut order = vec![b'o'; octets];
            *order.last_mut().unwrap() = b'\n';
            let receiving = tokio::task::spawn_blocking(move || receive(&mut theirs));
            send(&mut ours, &order, &document).await.unwrap();
            let (received, mut got) = receiving.await.unwrap().unwrap();
            assert_eq!(received, order);
            let mut text = String::new();
            got.read_to_string(&mut text).unwrap();
            assert_eq!(text, "what is to be printed");
            assert!(got.write_all(b"!").is_err(), "a worker cannot write into the document");
        }
    }

    #[test]
    fn an_order_that_never_ends_or_lacks_its_document_is_refused() {
        let (mut ours, mut theirs) = net::UnixStream::pair().unwrap();
        ours.write_all(b"{}\n").unwrap();
        assert!(receive(&mut theirs).is_err());
    }
}
