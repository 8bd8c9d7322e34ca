"""`python -m console` is `xueji`."""

from console.commands import main

if __name__ == "__main__":
    main()
