"""The peers of npm: installed into the build folder, as benchmarks/peer/package-lock.json says."""
import os
import subprocess
import sys

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peer")


def install(build):
    """The folder of the modules."""
    folder = os.path.join(build, "peer")
    os.makedirs(folder, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        with open(os.path.join(SOURCE, name), "rb") as source, open(os.path.join(folder, name), "wb") as copy:
            copy.write(source.read())
    subprocess.run(["npm", "ci", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], check=True,
                   stdout=sys.stderr)
    return os.path.join(folder, "node_modules")
