//! The XX handshake as WhatsApp runs it.
