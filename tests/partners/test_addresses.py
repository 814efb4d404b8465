"""Dangerous URLs and addresses, one by one."""

import re
import socket

import pytest

from services.partners.addresses import (
    LONGEST_URL,
    URL_FORM,
    AddressRefused,
    UrlRefused,
    check_url,
    checking_sockets,
    may_dial,
)

GOOD_URLS = [
    "https://app.example",
    "https://app.example/",
    "https://hooks.app.example.co.uk/tandem/v1?tenant=7&x=%20y",
    "https://app.example:443/hook",
    "https://app.example:8443/hook",
    "https://APP.Example/Hook",
    "https://xn--bcher-kva.example/hook",
    "https://1and1.example/hook",
    "https://" + "a" * 63 + ".example/" + "p" * (LONGEST_URL - 81),
]

BAD_URLS = [
    "",
    "https://",
    "https:///hook",
    "app.example/hook",
    "//app.example/hook",
    "http://app.example/hook",
    "ftp://app.example/hook",
    "file:///etc/passwd",
    "gopher://app.example/",
    "javascript:alert(1)",
    "https://localhost/",
    "https://localhost./",
    "https://intranet/",
    "https://app.example./",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.0.0.1.:443/",
    "https://0/",
    "https://0.0.0.0/",
    "https://10.0.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://93.184.215.14/",
    "https://app.example.0x1/",
    "https://app.example.1/",
    "https://\uff11\uff12\uff17.\uff10.\uff10.\uff11/",
    "https://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460/",
    "https://127\u30020\u30020\u30021/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2606:4700::1111]/",
    "https://user@app.example/",
    "https://user:pass@app.example/",
    "https://app.example@127.0.0.1/",
    "https://app.example%40127.0.0.1/",
    "https://127.0.0.1#@app.example/",
    "https://127.0.0.1\\@app.example/",
    "https://app.example\\.evil.example/",
    "https://app.example/hook#part",
    "https://app.example#",
    "https://app.example:22/",
    "https://app.example:6379/",
    "https://app.example:0/",
    "https://app.example:65536/",
    "https://app.example:/",
    "https://app.example:443:80/",
    "https://app.example:+443/",
    "https://app.example:\uff14\uff14\uff13/",
    "https://bücher.example/",
    "https://\uff41pp.example/",
    "https://-app.example/",
    "https://app-.example/",
    "https://app..example/",
    "https://.example/",
    "https://*.example/",
    "https://app_1.example/",
    "https://app.example/a b",
    "https://app.example/\r\nX-Evil: 1",
    "https://app.example/hook\n",
    "https://app.example\n",
    "https://app.example/\t",
    "https://app.example/\x00",
    " https://app.example/",
    "https://app.example/ü",
    "https://app.example/\ud800",
    "https://" + "a" * 64 + ".example/",
    "https://app.example/" + "p" * LONGEST_URL,
]

NOT_PUBLIC = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.170",
    "192.0.0.192",
    "192.0.2.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.99.1",
    "192.168.1.1",
    "192.175.48.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::10.0.0.1",
    "100::1",
    "100:0:0:1::1",
    "2001::1",
    "2001:0:7f00:1::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a00:1::",
    "2620:4f:8000::1",
    "3ffe::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "2606:4700:4700::1111%eth0",
    "127.1",
    "2130706433",
    "0x7f.0.0.1",
    "localhost",
    "",
]

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2001:4860:4860::8888",
    "2a00:1450:4001:81b::200e",
]


@pytest.mark.parametrize("url", GOOD_URLS)
def test_a_plain_https_url_is_taken(url: str) -> None:
    check_url(url, development=False)


@pytest.mark.parametrize("url", BAD_URLS)
def test_a_dangerous_url_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused):
        check_url(url, development=False)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9001/hook", "http://localhost:9001/", "http://[::1]:9001/", "http://a.example/"]
)
def test_plain_http_and_this_machine_are_for_development(url: str) -> None:
    check_url(url, development=True)
    with pytest.raises(UrlRefused):
        check_url(url, development=False)


@pytest.mark.parametrize("url", [url for url in GOOD_URLS if len(url) <= LONGEST_URL])
def test_the_published_form_admits_what_is_taken(url: str) -> None:
    assert re.match(URL_FORM, url)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_off_the_public_internet_is_never_dialled(address: str) -> None:
    assert not may_dial(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_dialled(address: str) -> None:
    assert may_dial(address)


@pytest.mark.parametrize("address", [one for one in NOT_PUBLIC if one not in ("::1",) and one[:4] != "127."])
def test_development_opens_this_machine_and_nothing_more(address: str) -> None:
    assert not may_dial(address, development=True)


def test_no_socket_is_made_for_what_must_not_be_dialled() -> None:
    make = checking_sockets(development=False)

    with pytest.raises(AddressRefused):
        make((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 443)))
    with pytest.raises(AddressRefused):
        make((socket.AF_UNIX, socket.SOCK_STREAM, 0, "", "/run/docker.sock"))
    make((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("1.1.1.1", 443))).close()
