# For test scripts that run ranks on one device, sourced by them: their build folder is $1, what they write lies in $work.
. "$(dirname "${BASH_SOURCE[0]}")/device.sh"
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
LAIP_GEMM=$("$build/tests/products")
export LAIP_GEMM POCL_MAX_PTHREAD_COUNT=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
device=$(auto_device "$build")
fail() { echo "FAILED: $*"; cat "$work/log"; exit 1; }
