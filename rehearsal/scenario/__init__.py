"""What this platform is rehearsed with: its input, its accounting, its report; knows the engine from outside."""
