"""Load scenarios, density and fan-out benchmarks."""
