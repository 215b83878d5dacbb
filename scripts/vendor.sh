#!/bin/sh
# Refreshes app/static/vendor from the packages named below (needs node's npm and python3).
# The result is committed: running Préau never downloads anything for the browser.
set -eu
bootstrap=5.3.9 htmx=2.0.11 icons=1.13.2 tomselect=2.6.2 sortable=1.15.7
root=$(cd "$(dirname "$0")/.." && pwd)
out=$root/app/static/vendor
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
take() { # name version file target
    mkdir -p "$work/$1"
    [ -e "$work/$1/package" ] || (cd "$work/$1" && npm pack --silent "$1@$2" >/dev/null && tar xzf ./*.tgz)
    sed '/^\/[/*]# sourceMappingURL/d' "$work/$1/package/$3" >"$4"
}
take bootstrap $bootstrap dist/css/bootstrap.min.css "$out/bootstrap.min.css"
take htmx.org $htmx dist/htmx.min.js "$out/htmx.min.js"
take tom-select $tomselect dist/js/tom-select.complete.min.js "$out/tom-select.complete.min.js"
take tom-select $tomselect dist/css/tom-select.min.css "$out/tom-select.min.css"
take sortablejs $sortable Sortable.min.js "$out/sortable.min.js"
take bootstrap-icons $icons bootstrap-icons.svg "$work/icons.svg"
for name in bootstrap htmx.org tom-select sortablejs bootstrap-icons; do
    cp "$work/$name/package/LICENSE" "$out/LICENSE.$name"
done
python3 - "$work/icons.svg" "$out/icones.txt" "$root/app/static/icons.svg" <<'PY'
import re
import sys

source, names, target = sys.argv[1:]
wanted = open(names).read().split()
symbols = {m[1]: m[0] for m in re.finditer(r'<symbol[^>]* id="([^"]+)">.*?</symbol>', open(source).read(), re.S)}
unknown = [name for name in wanted if name not in symbols]
if unknown:
    sys.exit(f"Unknown icons: {', '.join(unknown)}")
body = "\n".join(re.sub(r' class="[^"]*"', "", symbols[name]) for name in wanted)
open(target, "w").write(f'<svg xmlns="http://www.w3.org/2000/svg">\n{body}\n</svg>\n')
PY
echo "$(wc -l <"$out/icones.txt") icons, $(du -sh "$out" | cut -f1) in app/static/vendor"
