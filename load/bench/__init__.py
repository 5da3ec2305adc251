"""The benchmark: what a push server costs beside what the kernel alone charges (`make bench`)."""
