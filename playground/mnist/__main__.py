"""`python -m playground.mnist [folder]` downloads MNIST."""

import sys

from playground.mnist import main

if __name__ == "__main__":
    sys.exit(main())
