"""The same job in Python: cryptography signs and verifies, pycurl sends over HTTP/2.

    python3 python.py URL CA PRIVATE_KEY PUBLIC_KEY CLIENT_ID ORDERS AT_ONCE

Prints the seconds that it took.
"""
import base64
import json
import os
import queue
import re
import secrets
import select
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, unquote, urlsplit

import pycurl
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa


def read(path):
    with open(path, "rb") as file:
        return file.read()


class Signer:
    """Both keys, and the client that they belong to."""

    def __init__(self, path, key_file, peer_file, client_id):
        self.path = path
        self.client_id = client_id
        self.key = serialization.load_pem_private_key(read(key_file), password=None)
        self.peer = serialization.load_pem_public_key(read(peer_file))
        self.is_rsa = isinstance(self.key, rsa.RSAPrivateKey)
        if self.is_rsa:
            self.algorithm, self.how = "RSA256", (padding.PKCS1v15(), hashes.SHA256())
        else:
            self.algorithm, self.how = "ECC224", (ec.ECDSA(hashes.SHA224()),)

    def content(self, when, body):
        return f"POST {self.path}\n{self.client_id}.{when}.".encode() + body

    def headers(self, body):
        when = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
        signature = base64.b64encode(self.key.sign(self.content(when, body), *self.how))
        return [
            f"Client-Id: {self.client_id}",
            "Content-Type: application/json; charset=UTF-8",
            f"Request-Time: {when}",
            f"Signature: algorithm={self.algorithm},keyVersion=1,signature={quote(signature, safe='')}",
        ]

    def verify(self, headers, body):
        signature = re.search("signature=([^,]*)", headers["signature"])[1]
        content = self.content(headers["response-time"], body)
        try:
            self.peer.verify(base64.b64decode(unquote(signature)), content, *self.how)
        except InvalidSignature:
            raise ValueError("an answer does not verify") from None


class Lane:
    """One order at a time."""

    def __init__(self, url, ca_file):
        self.easy = pycurl.Curl()
        self.easy.lane = self
        for option, value in {
            pycurl.URL: url,
            pycurl.CAINFO: ca_file,
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_2TLS,
            pycurl.PIPEWAIT: 1,
            pycurl.POST: 1,
            pycurl.TIMEOUT: 30,
            pycurl.HEADERFUNCTION: self.on_header,
            pycurl.WRITEFUNCTION: self.on_body,
        }.items():
            self.easy.setopt(option, value)

    def prepare(self, number):
        self.body = json.dumps({
            "requestId": secrets.token_hex(16),
            "merchantBizNo": f"BENCH-{number}",
            "merchantBizType": "MOVIE_TICKET",
            "orderStatus": "TICKETED",
            "userId": "2160120012345678",
            "orderCreateTime": 1716338541000,
            "orderModifyTime": int(time.time() * 1000),
            "extInfo": {},
        }, separators=(",", ":")).encode()
        self.headers = {}
        self.answer = b""

    def on_header(self, line):
        name, _, value = line.decode("latin-1").partition(":")
        self.headers[name.lower()] = value.strip()

    def on_body(self, data):
        self.answer += data


class Batch:
    def __init__(self, multi, signer, pool):
        self.multi = multi
        self.signer = signer
        self.pool = pool
        self.signed = queue.SimpleQueue()
        self.wake = os.eventfd(0, os.EFD_NONBLOCK)

    def begin(self, lane):
        number = next(self.numbers, None)
        if number is None:
            return
        self.under_way += 1
        lane.prepare(number)
        if self.pool:
            future = self.pool.submit(self.signer.headers, lane.body)
            future.add_done_callback(lambda future: self.on_signed(lane, future))
        else:
            self.send(lane, self.signer.headers(lane.body))

    def on_signed(self, lane, future):
        """In a thread of the pool."""
        self.signed.put((lane, future))
        os.eventfd_write(self.wake, 1)

    def send(self, lane, headers):
        lane.easy.setopt(pycurl.HTTPHEADER, headers)
        lane.easy.setopt(pycurl.POSTFIELDS, lane.body)
        self.multi.add_handle(lane.easy)

    def finish(self, lane):
        self.multi.remove_handle(lane.easy)
        self.signer.verify(lane.headers, lane.answer)
        if json.loads(lane.answer)["result"]["resultStatus"] != "S":
            raise ValueError("an answer is no success")
        self.under_way -= 1
        self.begin(lane)

    def collect(self):
        left = 1
        while left:
            left, succeeded, failed = self.multi.info_read()
            for _, _, message in failed:
                raise ValueError(message)
            for easy in succeeded:
                self.finish(easy.lane)

    def wait(self):
        readable, writable, exceptional = self.multi.fdset()
        timeout = self.multi.timeout()
        ready, _, _ = select.select([*readable, self.wake], writable, exceptional,
                                    1 if timeout < 0 else min(timeout / 1000, 1))
        if self.wake in ready:
            os.eventfd_read(self.wake)
            while not self.signed.empty():
                lane, future = self.signed.get()
                self.send(lane, future.result())

    def run(self, lanes, count):
        self.numbers = iter(range(count))
        self.under_way = 0
        for lane in lanes:
            self.begin(lane)
        while self.under_way:
            self.multi.perform()
            self.collect()
            if self.under_way:
                self.wait()


def main(url, ca_file, key_file, peer_file, client_id, orders, at_once):
    signer = Signer(urlsplit(url).path, key_file, peer_file, client_id)
    # cryptography lets go of the GIL, but only a signature of RSA takes so long that threads are quicker: those of
    # EC, and every verification, were no quicker in a pool, or slower.
    pool = ThreadPoolExecutor(os.cpu_count()) if signer.is_rsa else None
    batch = Batch(pycurl.CurlMulti(), signer, pool)
    lanes = [Lane(url, ca_file) for _ in range(int(at_once))]
    batch.run(lanes, 200)  # the connection, and whatever is made at first use
    began = time.perf_counter()
    batch.run(lanes, int(orders))
    print(f"{time.perf_counter() - began:.6f}")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as err:
        sys.exit(f"python: {err}")
