"""The benchmarks: Hansa beside PostgreSQL on the same cores, in alternating rounds. `make bench` runs them."""
