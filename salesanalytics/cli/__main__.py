"""``python -m salesanalytics.cli``."""

import sys

from salesanalytics.cli import main

sys.exit(main())
