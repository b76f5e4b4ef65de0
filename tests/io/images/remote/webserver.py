"""A web server on this machine, which can be told to do wrong."""

import contextlib
import functools
import http.server
import threading

NAMES = [
    "cat.0.jpg", "a b/dog.1.PNG", "größe/cat.2.jpeg", "#1/dog.3.webp", "100%/cat.4.gif", "100%25/cat.5.gif",
    "what?/dog.6.tif", "a&b;c/dog.7.bmp", "one/two/three/cat.8.jpg",
]  # fmt: skip
OTHERS = ["notes.txt", "._cat.9.jpg", "._folder/cat.9.jpg", "one/list.csv"]


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; ``server.answers`` has functions that answer in its place, by path, one after the other."""

    def do_GET(self):
        self.server.requests.append((self.path, self.headers.get("Authorization")))
        answers = self.server.answers.get(self.path)
        if answers:
            (answers.pop(0) if len(answers) > 1 else answers[0])(self)
        else:
            super().do_GET()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving(folder):
    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.answers, server.requests = {}, []
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def status(code):
    return lambda handler: handler.send_error(code)


def page(*links, kind="text/html"):
    body = "".join(f'<a class="x" href="{link}">{link}</a>' for link in links).encode()

    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def body(data, promised=None):
    def answer(handler):
        handler.send_response(200)
        if promised is not None:
            handler.send_header("Content-Length", str(promised))
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def to(url):
    def answer(handler):
        handler.send_response(302)
        handler.send_header("Location", url)
        handler.end_headers()

    return answer


def hang_up(handler):
    handler.close_connection = True
