"""``python -m polite_flamingo`` is ``pf``."""

import sys

from polite_flamingo.cli import main

sys.exit(main())
