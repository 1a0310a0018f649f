#!/bin/busybox sh
# Runs what comes in over the port named "agent": a script a line, in base64.
# Answers with the exit code and the lengths of both outputs, then these.
for port in /sys/class/virtio-ports/*; do
    [ "$(cat "$port/name")" = agent ] && device=/dev/${port##*/}
done
mkdir -p /run/agent
cd /run/agent || exit
exec 3<>"$device"
echo ready >&3
while IFS= read -r line <&3; do
    printf %s "$line" | base64 -d >script
    (cd / && exec sh /run/agent/script) </dev/null >stdout 2>stderr 3>&-
    echo "done $? $(stat -c %s stdout) $(stat -c %s stderr)" >&3
    cat stdout stderr >&3
done
