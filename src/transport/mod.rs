//! WebSocket over TCP or TLS, on tokio.
