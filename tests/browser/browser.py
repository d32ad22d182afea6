"""A headless Chromium driven over the WebDriver protocol with urllib alone. Not a test itself."""
import base64
import json
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


def is_there():
    return shutil.which("chromium") is not None and shutil.which("chromedriver") is not None


class Browser:
    """with Browser(width, height) as b: b.open(path); b.run("return document.title")"""

    def __init__(self, width=1200, height=900, dark=False):
        self.size, self.dark = (width, height), dark

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.downloads = Path(self.folder.name) / "downloads"
        self.downloads.mkdir()
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in self.driver.stdout:
            if found := re.search(r"started successfully on port (\d+)", line):
                break
        self.url = f"http://127.0.0.1:{found.group(1)}"
        arguments = [*FLAGS, f"--user-data-dir={self.folder.name}/profile", f"--window-size={self.size[0]},{self.size[1]}"]
        options = {"args": arguments}
        self.session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}})["sessionId"]
        self.devtools("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(self.downloads)})
        self.devtools("Emulation.setDeviceMetricsOverride",
                      {"width": self.size[0], "height": self.size[1], "deviceScaleFactor": 1, "mobile": False})
        self.devtools("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark" if self.dark else "light"}]})
        return self

    def __exit__(self, *ignored):
        try:
            self.call("DELETE", f"/session/{self.session}")
        finally:
            self.driver.terminate()
            self.driver.wait()
            self.driver.stdout.close()
            shutil.rmtree(self.folder.name, ignore_errors=True)

    def call(self, method, path, body=None):
        request = urllib.request.Request(self.url + path, method=method, headers={"Content-Type": "application/json"},
                                         data=None if body is None else json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.load(error)["value"]["message"]) from None

    def post(self, path, body):
        return self.call("POST", f"/session/{self.session}{path}", body)

    def devtools(self, command, parameters):
        return self.post("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def open(self, path):
        self.post("/url", {"url": Path(path).resolve().as_uri()})

    def run(self, script, *arguments):
        return self.post("/execute/sync", {"script": script, "args": list(arguments)})

    def element(self, selector):
        return self.post("/element", {"using": "css selector", "value": selector})

    def click(self, selector):
        self.run("document.querySelector(arguments[0]).scrollIntoView({block: 'center'})", selector)
        self.post(f"/element/{self.element(selector)[ELEMENT]}/click", {})

    def keys(self, selector, text):
        self.post(f"/element/{self.element(selector)[ELEMENT]}/value", {"text": text})

    def pointer(self, selector, *steps):
        """Steps of a mouse over an element: ("move", x, y) from its corner, ("down",), ("up",)."""
        box = self.run("const e = document.querySelector(arguments[0]); e.scrollIntoView({block: 'center'});"
                       "const b = e.getBoundingClientRect(); return [b.x, b.y, b.width, b.height];", selector)
        actions = []
        for step in steps:
            if step[0] == "move":
                actions.append({"type": "pointerMove", "duration": 0, "x": int(box[0] + step[1]), "y": int(box[1] + step[2])})
            else:
                actions.append({"type": f"pointer{step[0].capitalize()}", "button": 0})
        self.post("/actions", {"actions": [{"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": actions}]})
        return box

    def console_errors(self):
        return [entry["message"] for entry in self.post("/se/log", {"type": "browser"}) if entry["level"] == "SEVERE"]

    def screenshot(self, path, whole=True):
        size = self.devtools("Page.getLayoutMetrics", {})["cssContentSize"] if whole else None
        clip = {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1},
                "captureBeyondViewport": True} if whole else {}
        Path(path).write_bytes(base64.b64decode(self.devtools("Page.captureScreenshot", {"format": "png", **clip})["data"]))
