"""`make openapi`: writes the API's description to where it is served from."""

from infrastructure.openapi.document import document
from infrastructure.openapi.file import PATH, written


def main() -> None:
    PATH.write_text(written(document()), encoding="utf-8")
    print(f"Wrote {PATH.name} ({PATH.stat().st_size // 1024} KiB)")


if __name__ == "__main__":
    main()
