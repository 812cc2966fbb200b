//! The end of the process, with a server on loopback.

use std::net::{SocketAddr, TcpListener};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
    mpsc::{Receiver, channel},
};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

use baileys_native::dropin::{Environment, ProcessMetrics};
use baileys_native::transport::TransportError;
use tokio_tungstenite::tungstenite::{Message, accept};

use super::records::{ROOM, Source};
use crate::driver::user::{WAIT_LIMIT, options};

/// The time in which the test ends the process while the I/O thread handles a message.
const LONG: Duration = Duration::from_millis(200);

/// A server that sends a message when it is asked, and then waits for the end of the client. Its result is what the
/// system has received by then.
fn serve(asked: Receiver<()>, ended: Receiver<()>) -> (SocketAddr, JoinHandle<Vec<Message>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = spawn(move || {
        let mut socket = accept(listener.accept().unwrap().0).unwrap();
        asked.recv_timeout(WAIT_LIMIT).unwrap();
        socket.send(Message::Binary("a message".into())).unwrap();
        ended.recv_timeout(WAIT_LIMIT).unwrap();
        socket.get_ref().set_nonblocking(true).unwrap();
        std::iter::from_fn(|| socket.read().ok()).collect()
    });
    (address, server)
}

#[test]
fn messages_of_removed_sockets_are_written_before_the_process_ends() {
    let ((ask, asked), (end, ended)) = (channel(), channel());
    let (address, server) = serve(asked, ended);
    let (tell, woken) = channel();
    let is_slow = Arc::new(AtomicBool::new(false));
    let wake = {
        let is_slow = Arc::clone(&is_slow);
        move || {
            let _ = tell.send(());
            if is_slow.load(Ordering::SeqCst) {
                // The connection's task is running meanwhile.
                sleep(LONG);
            }
        }
    };
    let environment = Environment::<Source>::new(Arc::<ProcessMetrics>::default(), wake);
    let socket = environment
        .connect(options(address), TransportError::to_string)
        .unwrap();
    while environment.endpoints(socket).is_none() {
        woken.recv_timeout(WAIT_LIMIT).unwrap();
        while environment.drain(ROOM, |drained| drained.has_more) {}
    }
    is_slow.store(true, Ordering::SeqCst);
    ask.send(()).unwrap();
    woken.recv_timeout(WAIT_LIMIT).unwrap();
    for text in [&b"1"[..], b"2", b"3"] {
        environment.send(socket, text, false).unwrap();
    }
    assert!(environment.release(socket));
    environment.write_all();
    end.send(()).unwrap();
    assert_eq!(
        server.join().unwrap(),
        ["1", "2", "3"].map(|text| Message::Binary(text.into()))
    );
}
