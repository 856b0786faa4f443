"""Files that are either whole or not there, and JSON that any reader reads."""

from __future__ import annotations

import json
import math
import os
import tempfile
from contextlib import suppress
from typing import Any


def write_file(path: str, data: bytes) -> None:
    """Replace a file at once, whatever happens meanwhile; the new content is on the disk when this returns."""
    folder = os.path.dirname(os.path.abspath(path))
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{os.path.basename(path)}-", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    sync_folder(folder)


def sync_folder(folder: str) -> None:
    """See that a rename is on the disk too, where the system can say so."""
    with suppress(OSError, AttributeError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_json(path: str, data: Any) -> None:
    """Replace a file by strict JSON: numbers that JSON lacks become the strings "nan", "inf" and "-inf" (``float`` reads them)."""
    write_file(path, (json.dumps(strict(data), indent=2, allow_nan=False, ensure_ascii=False) + "\n").encode())


def strict(data: Any) -> Any:
    """Plain data without the numbers that JSON lacks."""
    if isinstance(data, dict):
        return {str(key): strict(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [strict(value) for value in data]
    if isinstance(data, float) and not math.isfinite(data):
        return repr(float(data))
    return data
