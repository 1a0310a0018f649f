"""What programs do with Docker's SDK for Python, and what they rely on.

Run by sdk.rs against an engine that has the image `busybox`.
"""

import io
import json
import tarfile
import threading
import unittest

import docker
from docker.errors import APIError, ContainerError, ImageNotFound, NotFound

IMAGE = "busybox"


class Sdk(unittest.TestCase):
    def setUp(self):
        self.client = docker.from_env(timeout=30)
        self.addCleanup(self.client.close)

    def running(self, *command, **options):
        container = self.client.containers.run(IMAGE, list(command), detach=True, **options)
        self.addCleanup(container.remove, force=True, v=True)
        return container

    def test_the_engine_tells_of_itself(self):
        self.assertTrue(self.client.ping())
        self.assertEqual(self.client.version()["Os"], "linux")
        self.assertEqual(self.client.info()["OSType"], "linux")
        self.assertIn("ImageUsage", self.client.df())

    def test_output_and_exit_codes(self):
        self.assertEqual(self.client.containers.run(IMAGE, "echo hi", remove=True), b"hi\n")
        with self.assertRaises(ContainerError) as failed:
            self.client.containers.run(IMAGE, ["sh", "-c", "echo no >&2; exit 3"], remove=True)
        self.assertEqual(failed.exception.exit_status, 3)
        self.assertIn("no", str(failed.exception))

    def test_logs_are_followed_to_the_end(self):
        container = self.running("sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.1; done")
        self.assertEqual(b"".join(container.logs(stream=True, follow=True)), b"1\n2\n3\n")
        self.assertEqual(container.wait()["StatusCode"], 0)
        self.assertEqual(container.logs(tail=1), b"3\n")

    def test_what_was_logged_is_replayed_to_who_attaches(self):
        container = self.running("echo", "hello")
        container.wait()
        self.assertEqual(container.attach(logs=True, stream=False), b"hello\n")

    def test_execs_are_framed_as_their_start_asks(self):
        container = self.running("sleep", "60")
        command = ["sh", "-c", "echo out; echo err >&2"]
        code, (out, err) = container.exec_run(command, demux=True)
        self.assertEqual((code, out, err), (0, b"out\n", b"err\n"))
        # A terminal within frames: this is how the SDK asks for one by default.
        api = self.client.api
        made = api.exec_create(container.id, command, tty=True)
        self.assertEqual(api.exec_start(made), b"out\r\nerr\r\n")
        self.assertEqual(api.exec_inspect(made)["ExitCode"], 0)
        made = api.exec_create(container.id, command, tty=True)
        self.assertEqual(api.exec_start(made, tty=True), b"out\r\nerr\r\n")

    def test_files_go_in_and_come_out(self):
        container = self.running("sleep", "60")
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            entry = tarfile.TarInfo("greeting")
            entry.size = 5
            archive.addfile(entry, io.BytesIO(b"hello"))
        self.assertTrue(container.put_archive("/tmp", packed.getvalue()))
        self.assertEqual(container.exec_run("cat /tmp/greeting").output, b"hello")
        stream, stat = container.get_archive("/tmp/greeting")
        self.assertEqual((stat["name"], stat["size"]), ("greeting", 5))
        with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
            self.assertEqual(archive.extractfile("greeting").read(), b"hello")
        self.assertIn({"Path": "/tmp/greeting", "Kind": 1}, container.diff())

    def test_a_container_that_its_policy_restarts_can_be_waited_for(self):
        container = self.running("sleep", "0.3", restart_policy={"Name": "always"})
        self.assertEqual(container.wait(timeout=20)["StatusCode"], 0)
        with self.assertRaises(APIError) as refused:
            container.remove()
        self.assertEqual(refused.exception.response.status_code, 409)

    def test_looking_at_it_while_it_runs(self):
        container = self.running("sleep", "60", name="looked-at", labels={"kind": "test"})
        self.assertEqual([c.name for c in self.client.containers.list(filters={"label": "kind=test"})], ["looked-at"])
        self.assertIn("memory_stats", container.stats(stream=False))
        self.assertEqual(container.top()["Titles"][-1], "CMD")
        container.pause()
        container.reload()
        self.assertEqual(container.status, "paused")
        container.unpause()
        container.rename("renamed")
        container.stop(timeout=1)
        container.reload()
        self.assertEqual((container.name, container.status), ("renamed", "exited"))

    def test_events_arrive_while_they_happen(self):
        seen = []

        def watch():
            for event in self.client.events(decode=True, filters={"container": "watched"}):
                seen.append(event["Action"])
                if event["Action"] == "destroy":
                    return

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        # Until the stream is open nothing can be seen on it.
        while not watcher.ident or self.client.info()["NEventsListener"] == 0:
            pass
        self.client.containers.run(IMAGE, "true", name="watched", remove=True)
        watcher.join(20)
        self.assertEqual([a for a in seen if a in ("create", "start", "die", "destroy")], ["create", "start", "die", "destroy"])

    def test_images_are_made_carried_and_removed(self):
        # One that ends while it is committed.
        container = self.running("true")
        image = container.commit(repository="made", tag="here", changes='CMD ["echo", "made"]')
        self.addCleanup(self.client.images.remove, "made:here", force=True)
        self.assertEqual(self.client.containers.run("made:here", remove=True), b"made\n")
        archive = b"".join(image.save(named=True))
        self.client.images.remove("made:here")
        loaded = self.client.images.load(archive)
        self.assertEqual([i.tags for i in loaded], [["made:here"]])
        self.assertEqual(loaded[0].history()[0]["Tags"], ["made:here"])

    def test_volumes(self):
        volume = self.client.volumes.create("kept", labels={"a": "b"})
        mounts = {"kept": {"bind": "/data", "mode": "rw"}}
        self.client.containers.run(IMAGE, ["sh", "-c", "echo 1 > /data/file"], volumes=mounts, remove=True)
        read = self.client.containers.run(IMAGE, "cat /data/file", volumes=mounts, remove=True)
        self.assertEqual(read, b"1\n")
        volume.remove()
        with self.assertRaises(NotFound):
            self.client.volumes.get("kept")

    def test_errors_are_of_the_kind_that_programs_catch(self):
        with self.assertRaises(NotFound):
            self.client.containers.get("nowhere")
        with self.assertRaises(ImageNotFound):
            self.client.images.get("nowhere:latest")
        self.running("sleep", "60", name="taken")
        with self.assertRaises(APIError) as taken:
            self.client.containers.create(IMAGE, name="taken")
        self.assertEqual(taken.exception.response.status_code, 409)
        with self.assertRaises(APIError) as unstartable:
            self.client.containers.run(IMAGE, "no-such-program", name="unstartable")
        self.addCleanup(self.client.containers.get("unstartable").remove)
        self.assertIn("executable file not found", str(unstartable.exception))

    def test_what_the_engine_sends_without_types(self):
        container = self.running("sleep", "60", ports={"80/tcp": None})
        raw = self.client.api.inspect_container(container.id)
        for absent in ("CapDrop", "GroupAdd", "SecurityOpt", "VolumesFrom"):
            self.assertIsNone(raw["HostConfig"][absent])
        port = raw["NetworkSettings"]["Ports"]["80/tcp"][0]["HostPort"]
        self.assertTrue(port.isdigit())
        self.assertEqual(json.loads(json.dumps(raw))["Name"], raw["Name"])


if __name__ == "__main__":
    unittest.main()
