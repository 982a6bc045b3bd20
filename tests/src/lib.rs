//! Behaviour over real sockets with real peers; worlds from a seed.
