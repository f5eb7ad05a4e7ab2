import os

import lit.formats

config.name = "recipe"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".test"]
config.test_source_root = os.path.dirname(__file__)
config.environment["HANG_MARK"] = os.environ.get("HANG_MARK", "")
config.substitutions.append(("%run", lit_config.params.get("run", "")))
config.substitutions.append(("%bin", config.test_source_root))
