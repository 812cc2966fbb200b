//! A server on loopback, with one behaviour for each connection.

use std::{
    future::poll_fn,
    io::Write as _,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};

use baileys_native::binary::Node;
use flate2::{Compression, write::ZlibEncoder};
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite::Message};

use crate::session::server::{Server, ServerOptions, node};

/// The behaviour of the server on a connection after the client's login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Behaviour {
    /// Answer queries.
    Answer,
    /// Also send this number of stanzas at once.
    Flood(u64),
    /// Also send stanzas without end, and read what has arrived between them.
    EndlessFlood,
    /// Also send `count` frames of 8 KiB in one message, each with a text of this length in bytes. A text of 60,000 bytes
    /// takes some milliseconds.
    LargeMessage { count: u64, text: u16 },
    /// Send WebSocket pings without end instead of the handshake, and read the pongs.
    EndlessPings,
    /// Also send a stanza with this tag.
    Tag(String),
    /// End the stream.
    Restart,
    /// Drop the connection.
    Drop,
    /// Close the WebSocket and wait for the answer.
    Close,
}

pub(super) struct Loopback {
    pub(super) address: SocketAddr,
    pub(super) connections: Arc<AtomicUsize>,
    /// Number of received keep-alive queries.
    pub(super) pings: Arc<AtomicUsize>,
    _runtime: Runtime,
}

impl Loopback {
    /// A server with one behaviour per connection. Further connections use the last one.
    pub(super) fn new(behaviours: &[Behaviour]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, pings) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (behaviours, count, seen) = (behaviours.to_vec(), Arc::clone(&connections), Arc::clone(&pings));
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let place = count.fetch_add(1, Ordering::SeqCst).min(behaviours.len() - 1);
                tokio::spawn(converse(stream, behaviours[place].clone(), Arc::clone(&seen)));
            }
        });
        Self {
            address,
            connections,
            pings,
            _runtime: runtime,
        }
    }
}

async fn converse(stream: TcpStream, behaviour: Behaviour, pings: Arc<AtomicUsize>) {
    let Ok(mut socket) = accept_async(stream).await else {
        return;
    };
    if behaviour == Behaviour::EndlessPings {
        return ping(&mut socket).await;
    }
    let mut server = Server::new(ServerOptions::default());
    let mut greeted = false;
    while let Some(Ok(message)) = socket.next().await {
        if !message.is_binary() {
            continue;
        }
        server.receive(&message.into_data());
        if server.is_open() && !greeted {
            greeted = true;
            server.send(&node("success", &[("t", "1700000000")], Vec::new()));
            match &behaviour {
                Behaviour::Answer => {}
                Behaviour::Tag(tag) => server.send(&node(tag, &[], Vec::new())),
                Behaviour::Flood(count) => {
                    for number in 0..*count {
                        server.send(&node("message", &[("n", &number.to_string())], Vec::new()));
                        if server.out.len() > 8000 && !exchange(&mut socket, &mut server, &pings).await {
                            return;
                        }
                    }
                }
                Behaviour::LargeMessage { count, text } => {
                    let payload = padded_payload(*text);
                    (0..*count).for_each(|_| server.send_payload(&payload));
                }
                Behaviour::EndlessFlood => {
                    flood(&mut socket, &mut server, &pings).await;
                    return;
                }
                Behaviour::EndlessPings => {}
                Behaviour::Restart => server.send(&node("stream:error", &[("code", "515")], Vec::new())),
                Behaviour::Drop => return,
                Behaviour::Close => {
                    let _ = socket.close(None).await;
                    while let Some(Ok(_)) = socket.next().await {}
                    return;
                }
            }
        }
        for stanza in std::mem::take(&mut server.received) {
            answer(&mut server, &stanza, &pings);
        }
        if !exchange(&mut socket, &mut server, &pings).await {
            return;
        }
    }
}

/// A compressed stanza with a text of this length, padded to 8 KiB. Data after the end of the compressed stanza is
/// ignored.
fn padded_payload(text: u16) -> Vec<u8> {
    let head = [&[248, 3, 19, 4, 253, 0][..], &text.to_be_bytes()].concat();
    let mut deflated = ZlibEncoder::new(vec![2], Compression::best());
    deflated.write_all(&head).unwrap();
    deflated.write_all(&vec![0xff; text.into()]).unwrap();
    let mut payload = deflated.finish().unwrap();
    payload.resize(8 * 1024 - 19, 0);
    payload
}

/// Sends pings until the connection ends. A client disconnects from a server that does not read the pongs. The server
/// waits for pongs early enough that the client can always write them.
async fn ping(socket: &mut WebSocketStream<TcpStream>) {
    const MOST_UNANSWERED: usize = 500;
    let mut unanswered = 0;
    loop {
        while unanswered < MOST_UNANSWERED {
            if socket.feed(Message::Ping(vec![1; 100].into())).await.is_err() {
                return;
            }
            unanswered += 1;
        }
        if socket.flush().await.is_err() {
            return;
        }
        let mut received = socket.next().await;
        loop {
            let Some(Ok(message)) = received else { return };
            unanswered -= usize::from(message.is_pong());
            let Some(next) = socket.next().now_or_never() else {
                break;
            };
            received = next;
        }
    }
}

/// Sends stanzas until the connection ends.
async fn flood(socket: &mut WebSocketStream<TcpStream>, server: &mut Server, pings: &AtomicUsize) {
    for number in 0.. {
        server.send(&node("message", &[("n", &number.to_string())], Vec::new()));
        if server.out.len() >= 8000 && !exchange(socket, server, pings).await {
            return;
        }
    }
}

/// Sends what the server has to send. Meanwhile it receives stanzas, also while the client does not read, and answers
/// them. Returns false if the connection has ended.
async fn exchange(socket: &mut WebSocketStream<TcpStream>, server: &mut Server, pings: &AtomicUsize) -> bool {
    while !server.out.is_empty() {
        let out = std::mem::take(&mut server.out);
        if socket.feed(Message::Binary(out.into())).await.is_err() {
            return false;
        }
        let is_open = poll_fn(|cx| {
            let sent = socket.poll_flush_unpin(cx);
            while let Poll::Ready(received) = socket.poll_next_unpin(cx) {
                let Some(Ok(message)) = received else {
                    return Poll::Ready(false);
                };
                if message.is_binary() {
                    server.receive(&message.into_data());
                }
                for stanza in std::mem::take(&mut server.received) {
                    answer(server, &stanza, pings);
                }
            }
            sent.map(|sent| sent.is_ok())
        });
        if !is_open.await {
            return false;
        }
    }
    true
}

fn answer(server: &mut Server, stanza: &Node, pings: &AtomicUsize) {
    if stanza.attr("xmlns") == Some("w:p") {
        pings.fetch_add(1, Ordering::SeqCst);
    }
    if stanza.tag == "iq"
        && let Some(id) = stanza.attr("id")
    {
        server.send(&node("iq", &[("type", "result"), ("id", id)], Vec::new()));
    }
}
