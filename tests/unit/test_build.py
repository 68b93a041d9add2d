"""The build: steps that run when they must, and a package that holds what it should and nothing else."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from build_tools import extension, run, steps, wheels
from build_tools.archives import REQUIREMENTS
from build_tools.paths import BUILD, DIST, NODE_MODULES, ROOT
from build_tools.steps import BuildError, step

TEST_EXTENSION = BUILD / "extension-for-tests"
# Where code is served for others to load; hosts of weights are data and may be named.
CODE_HOSTS = (
    "cdn.jsdelivr.net",
    "fastly.jsdelivr.net",
    "unpkg.com",
    "raw.githubusercontent.com",
    "esm.sh",
    "cdnjs.cloudflare.com",
    "cdn.skypack.dev",
    "ga.jspm.io",
    "cdn.pyodide.org",
    "ajax.googleapis.com",
)


@pytest.fixture(params=[DIST, TEST_EXTENSION], ids=["dist", "for-tests"])
def built(request: pytest.FixtureRequest) -> Path:
    """An unpacked extension."""
    if not (request.param / "manifest.json").exists():
        pytest.fail(f"{request.param} is missing: run the tests with python3 build.py test")
    return request.param


def manifest(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_text())


# ---- steps


class Work:
    """A step over a file and a folder that writes one output, and counts how often it ran."""

    def __init__(self, root: Path) -> None:
        self.root, self.ran, self.fails = root, 0, False
        self.source, self.folder, self.output = root / "source.txt", root / "folder", root / "out" / "made.txt"
        self.folder.mkdir()
        self.source.write_text("one")
        (self.folder / "inner.txt").write_text("one")

    def run(self, extra: str = "") -> bool:
        return step("some work", [self.source, self.folder], [self.output], self._make, extra)

    def _make(self) -> None:
        self.ran += 1
        self.output.parent.mkdir(exist_ok=True)
        self.output.write_text("half")
        if self.fails:
            raise BuildError("no")
        self.output.write_text("whole")


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Work:
    """A step below a root of its own."""
    monkeypatch.setattr(steps, "ROOT", tmp_path)
    monkeypatch.setattr(steps, "BUILD", tmp_path / "build")
    return Work(tmp_path)


def test_a_step_runs_once_and_then_says_nothing(work: Work, capsys: pytest.CaptureFixture[str]) -> None:
    assert work.run() is True
    assert "some work" in capsys.readouterr().out
    assert work.run() is False
    assert work.ran == 1
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "change",
    [
        lambda work: work.source.write_text("two"),
        lambda work: (work.folder / "inner.txt").write_text("two"),
        lambda work: (work.folder / "new.txt").write_text(""),
        lambda work: (work.folder / "inner.txt").unlink(),
        lambda work: (work.folder / "inner.txt").rename(work.folder / "other.txt"),
        lambda work: work.output.unlink(),
    ],
    ids=["file changed", "file in a folder changed", "file added", "file removed", "file renamed", "output missing"],
)
def test_a_step_runs_again_when_something_changed(work: Work, change: Callable[[Work], object]) -> None:
    work.run()
    change(work)
    assert work.run() is True
    assert work.run() is False


def test_a_step_runs_again_for_other_facts(work: Work) -> None:
    work.run("a")
    assert work.run("b") is True
    assert work.run("b") is False


def test_bytecode_of_the_tools_themselves_changes_nothing(work: Work) -> None:
    work.run()
    (work.folder / "__pycache__").mkdir()
    (work.folder / "__pycache__" / "x.pyc").write_bytes(b"x")
    assert work.run() is False


def test_a_step_that_failed_runs_again_even_if_it_was_done_before(work: Work) -> None:
    work.run()
    work.source.write_text("two")
    work.fails = True
    with pytest.raises(BuildError):
        work.run()
    work.source.write_text("one")  # as it was when it last succeeded; but the output is of the failure
    work.fails = False
    assert work.run() is True
    assert work.output.read_text() == "whole"


# ---- putting the extension together


def test_an_assembly_that_fails_leaves_the_extension_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "dist"
    out.mkdir()
    (out / "manifest.json").write_text("the one before")
    began: list[Path] = []

    def fail(fresh: Path) -> None:
        began.append(fresh)
        raise BuildError("the bundler failed")

    monkeypatch.setattr(extension, "_bundle", fail)
    with pytest.raises(BuildError, match="bundler"):
        extension._assemble(("tiny",), out)
    assert (out / "manifest.json").read_text() == "the one before"
    assert began and began[0] != out


def test_a_new_extension_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    out, fresh = tmp_path / "dist", tmp_path / "dist.new"
    for folder, text in ((out, "old"), (fresh, "new")):
        folder.mkdir()
        (folder / "manifest.json").write_text(text)
    (out / "only-in-old.js").write_text("")
    (tmp_path / "dist.old").mkdir()  # left by a build that was killed
    extension._replace(out, fresh)
    assert {path.name: path.read_text() for path in out.iterdir()} == {"manifest.json": "new"}
    assert list(tmp_path.iterdir()) == [out]


def test_a_first_extension_needs_no_old_one(tmp_path: Path) -> None:
    (tmp_path / "dist.new").mkdir()
    extension._replace(tmp_path / "dist", tmp_path / "dist.new")
    assert [path.name for path in tmp_path.iterdir()] == ["dist"]


def test_addresses_of_remote_code_are_taken_out_of_scripts(tmp_path: Path) -> None:
    script = tmp_path / "a" / "lib.mjs"
    script.parent.mkdir()
    kept = 'fetch("https://huggingface.co/x"); // weights'
    script.write_text("".join(f'import("https://{host}/x.js");' for host in ("cdn.jsdelivr.net", "unpkg.com", "esm.sh")) + kept)
    extension._strip_remote_code(tmp_path)
    assert not any(host in script.read_text() for host in CODE_HOSTS)
    assert kept in script.read_text()


# ---- the package


def test_the_package_is_the_same_bytes_every_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extension, "BUILD", tmp_path)
    packed: list[bytes] = []
    for turn, names in enumerate((("b.js", "a/x.txt", "manifest.json"), ("manifest.json", "a/x.txt", "b.js"))):
        folder = tmp_path / f"turn{turn}"
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(json.dumps({"version": "1.2.3", "padding": "x" * 5000}))
        (folder / "b.js").chmod(0o755 if turn else 0o600)
        archive = extension.package(folder)
        packed.append(archive.read_bytes())
        with zipfile.ZipFile(archive) as inside:
            assert inside.namelist() == ["a/x.txt", "b.js", "manifest.json"]
            assert inside.testzip() is None
            assert all(entry.compress_type == zipfile.ZIP_DEFLATED for entry in inside.infolist())
    assert archive.name == "amplifier-browser-1.2.3.zip"
    assert packed[0] == packed[1]


def test_the_manifest_asks_for_what_it_needs_and_for_sites_only_when_the_user_wants_it(built: Path) -> None:
    declared = manifest(built)
    needed = ["activeTab", "contextMenus", "offscreen", "scripting", "sidePanel", "storage", "system.memory", "unlimitedStorage"]
    assert sorted(declared["permissions"]) == needed
    assert declared["optional_permissions"] == ["tabs"]
    assert declared["optional_host_permissions"] == ["http://*/*", "https://*/*"]
    forbidden = ("host_permissions", "content_scripts")
    assert not [key for key in [*forbidden, "externally_connectable", "web_accessible_resources"] if key in declared]
    assert declared == manifest(ROOT)


def test_the_policy_lets_no_script_in_and_the_pages_connect_to_the_hosts_of_weights_alone(built: Path) -> None:
    pages = manifest(built)["content_security_policy"]
    assert list(pages) == ["extension_pages"]
    rules = policy(pages["extension_pages"])
    assert rules["default-src"] == ["'self'"]
    assert rules["script-src"] == ["'self'", "'wasm-unsafe-eval'"]
    assert rules["object-src"] == ["'none'"]
    # A server of the user's own may be anywhere, and a Worker has no policy but this one: the rest of them have a guard.
    assert rules.pop("connect-src") == ["'self'", "data:", "http:", "https:"]
    allowed = {"'self'", "'none'", "'wasm-unsafe-eval'", "data:", "blob:"}
    assert {source for sources in rules.values() for source in sources} <= allowed
    weight_hosts = ["https://huggingface.co", "https://*.huggingface.co", "https://*.hf.co", "https://raw.githubusercontent.com"]
    assert own_policy(built / "sidepanel" / "index.html") == {"connect-src": ["'self'", "data:", *weight_hosts]}
    assert own_policy(built / "background" / "offscreen.html") == {"connect-src": ["'self'", *weight_hosts]}


def policy(text: str) -> dict[str, list[str]]:
    rules = (rule.split() for rule in text.split(";"))
    return {name: sources for name, *sources in rules}


def own_policy(page: Path) -> dict[str, list[str]]:
    """What a page takes back of the manifest's policy."""
    found = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)">', page.read_text())
    assert found, f"{page.name} has no policy of its own"
    return policy(found[1])


def test_every_file_that_is_named_is_there(built: Path) -> None:
    declared = manifest(built)
    named = [*declared["icons"].values(), declared["background"]["service_worker"], declared["side_panel"]["default_path"]]
    for page in ("sidepanel/index.html", "background/offscreen.html"):
        links = re.findall(r'(?:src|href)="([^"#:]+)"', (built / page).read_text())
        assert links
        named += [str(Path(page).parent / link) for link in links]
    index = json.loads((built / "models" / "index.json").read_text())
    assert index["default"] in [model["id"] for model in index["models"]]
    for model in index["models"]:
        named += [model["lib"], *(model["path"] + name for name in model["files"])]
    named += ["sidepanel/extract.js", "sidepanel/python-worker.js", "background/engines/webllm.js"]
    missing = [name for name in named if not (built / name).is_file()]
    assert missing == []


def test_nothing_lies_in_the_package_that_does_not_belong(built: Path) -> None:
    strangers = ("*.map", "*.ts", "*.py", "*.svg", ".*", "*.test.js", "*.log")
    assert [path for pattern in strangers for path in built.rglob(pattern)] == []


def test_no_script_names_a_host_of_remote_code(built: Path) -> None:
    scripts = [path for path in built.rglob("*") if path.suffix in (".js", ".mjs", ".html", ".css", ".json")]
    scripts.remove(built / "models" / "catalogue.json")
    assert len(scripts) > 10
    found = [(path.name, host) for path in scripts for host in CODE_HOSTS if host in named_freely(path)]
    assert found == []


def named_freely(path: Path) -> str:
    """What a file says beside the hosts of weights. One of them has model libraries, too: none but those whose hash is known."""
    return re.sub(r"https://raw\.githubusercontent\.com(?=[\"'; ])", "", path.read_text(errors="replace"))


def test_the_catalogue_tells_where_a_library_lies_only_if_its_bytes_are_known(built: Path) -> None:
    listed = json.loads((built / "models" / "catalogue.json").read_text())["models"]
    variants = [variant for model in listed for variant in model["variants"]]
    assert len(variants) > 100
    assert [each["id"] for each in variants if "/" in each["lib"] and not each["lib_sha256"]] == []
    in_package = [each["lib"] for each in variants if each["lib"].startswith("models/")]
    assert [lib for lib in in_package if not (built / lib).is_file()] == []


def test_the_licence_of_every_bundled_package_is_in_the_package(built: Path, tmp_path: Path) -> None:
    texts = {path.name: path.read_text() for path in (built / "licences").iterdir()}
    assert all(len(text) > 500 for text in texts.values()), {name: len(text) for name, text in texts.items()}
    packages = bundled_by_esbuild(tmp_path) | {"pyodide"}
    expected = {f"npm-{name.lstrip('@').replace('/', '-')}.txt" for name in packages}
    assert expected <= set(texts)
    assert not [name for name in texts if name.startswith("npm-types-")]
    assert "Mozilla Public License Version 2.0" in texts["npm-pyodide.txt"]
    assert "github.com/pyodide/pyodide" in texts["npm-pyodide.txt"]
    assert "Apache License" in texts["npm-mlc-ai-web-llm.txt"]
    assert "PYTHON SOFTWARE FOUNDATION LICENSE" in texts["python-cpython.txt"]
    assert "MIT License" in texts["amplifier-browser.txt"]


def bundled_by_esbuild(folder: Path) -> set[str]:
    """Names of the npm packages whose files esbuild puts into our scripts."""
    command = [NODE_MODULES / ".bin" / "esbuild", *extension.MODULES, "sidepanel/extract.js", "--bundle", "--format=esm"]
    command += ["--external:../pyodide/pyodide.mjs", "--alias:pyodide=../pyodide/pyodide.mjs", f"--outdir={folder / 'out'}"]
    command += [f"--metafile={folder / 'meta.json'}", "--log-level=error"]
    subprocess.run(command, cwd=ROOT, check=True)
    inputs = json.loads((folder / "meta.json").read_text())["inputs"]
    found = [re.match(r"node_modules/((?:@[^/]+/)?[^/]+)/", name) for name in inputs]
    names = {match[1] for match in found if match}
    assert "preact" in names
    return names


def test_the_licence_of_every_wheel_is_in_the_package(built: Path) -> None:
    names = [path.name.lower().replace("-", "_") for path in (built / "licences").glob("python-*")]
    for package in wheels.pinned_hashes(REQUIREMENTS):
        assert any(name.startswith(f"python_{package.replace('-', '_')}") for name in names), package


def test_each_trained_model_brings_its_licence_and_says_what_was_changed(built: Path) -> None:
    models = [model for model in json.loads((built / "models" / "index.json").read_text())["models"] if model["id"] != "tiny"]
    assert models
    for model in models:
        folder = built / model["path"] / "resolve" / "main"
        assert "Apache License" in (folder / "LICENSE").read_text()
        assert "SmolLM2" in (folder / "NOTICE").read_text()


def test_every_requirement_of_the_package_is_pinned_by_version_and_hash(tmp_path: Path) -> None:
    lines = [line for line in REQUIREMENTS.read_text().splitlines() if line and not line.startswith("#")]
    assert lines
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+ --hash=sha256:[0-9a-f]{64}", line) for line in lines)
    loose = tmp_path / "loose.txt"
    loose.write_text("pydantic==2.14.3\n")
    with pytest.raises(wheels.WheelError):
        wheels.pinned_hashes(loose)


def test_every_npm_package_is_pinned_by_hash() -> None:
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert [name for name, facts in locked.items() if name and "integrity" not in facts] == []


def test_a_package_without_the_text_of_its_licence_stops_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    shutil.copy(NODE_MODULES / "pyodide" / "package.json", bare)
    monkeypatch.setattr(extension, "bundled_packages", lambda: {bare: {"version": "1", "license": "MIT"}})
    with pytest.raises(BuildError, match="bare"):
        extension._add_licences(tmp_path / "licences")


@pytest.mark.parametrize(
    ("title", "page", "expected"),
    [
        ("“Seals  swim.”", "The seals live here.\nSeals swim.", True),
        ("“Seals fly.”", "Seals swim.", False),
        ("Page 3: “Seals swim.”", "", None),
        ("At 0:35: “Seals swim.”", "", None),
    ],
)
def test_a_citation_is_looked_for_in_the_page_unless_it_names_another_place(title: str, page: str, expected: bool | None) -> None:
    assert run.stands_in(title, run.squeezed(page)) is expected
