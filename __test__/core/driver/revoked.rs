//! A transport over memory whose owner allows no more writing while a message is handled.

use std::{
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use baileys_native::transport::{Connection, EventSink, TransportEvent, seams};
use futures_util::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

/// After a ping or an error, the owner drops the connection before the next write.
#[derive(Default)]
struct Owner {
    connection: Arc<Mutex<Option<Connection>>>,
    is_revoked: bool,
}

impl EventSink for Owner {
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    fn before_write(&mut self) {
        if self.is_revoked {
            self.connection.lock().unwrap().take();
        }
    }

    fn event(&mut self, event: TransportEvent) {
        self.is_revoked |= matches!(event, TransportEvent::Ping(_) | TransportEvent::Error(_));
    }

    fn flush(&mut self) {}
}

/// Returns what the transport writes after it has received these bytes.
fn written_after(received: &[u8]) -> Vec<u8> {
    // For the timers of the transport.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (near, mut far) = duplex(4096);
        let owner = Owner::default();
        let connection = Arc::clone(&owner.connection);
        let (opened, task) = seams::open(near, Vec::new(), owner);
        *connection.lock().unwrap() = Some(opened);
        far.write_all(received).await.unwrap();
        task.await;
        assert!(connection.lock().unwrap().is_none());
        let mut written = Vec::new();
        let is_read = far.read_to_end(&mut written).now_or_never();
        assert!(matches!(is_read, Some(Ok(_))), "the transport is open");
        written
    })
}

#[test]
fn no_pong_is_written_when_the_owner_no_longer_allows_it() {
    // The pong for a ping is written with the next read.
    assert_eq!(written_after(&[0x89, 0]), b"");
    assert_eq!(written_after(&[0x89, 0].repeat(200)), b"");
}

#[test]
fn no_close_frame_is_written_when_the_owner_no_longer_allows_it() {
    // An unknown opcode.
    assert_eq!(written_after(&[0x83, 0]), b"");
}
