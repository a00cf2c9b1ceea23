# For test scripts: the number of the device that auto takes.  Ranks that are to share it name it so.
auto_device() { # BUILD
    "$1/laip-bench" devices --json | awk '/"number":/ { n = $2 + 0 } /"auto_rank": 0,/ { print n }'
}
