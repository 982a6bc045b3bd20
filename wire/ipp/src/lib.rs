//! IPP/2.x messages: bytes to values and back.
