"""One file per stack, and their wiring; it must not hold what two stacks could share as a building block."""
