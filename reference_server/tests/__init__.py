"""Tests of the shells: real processes, real sockets, and the driver on virtual time."""
