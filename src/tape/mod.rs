//! Nodes as flat operations, the form that crosses into JavaScript.
