"""Certificates for tests, made with the openssl command: an authority, servers and clients signed by it, revocation lists."""
import os
import pathlib
import shutil
import subprocess


def openssl(*arguments, cwd=None):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, cwd=cwd)
    if done.returncode != 0:
        raise AssertionError(f"openssl {' '.join(map(str, arguments))}: {done.stderr}")


class Authority:
    """A certificate authority in a folder of its own: NAME.crt and NAME.key for everything it makes."""

    def __init__(self, folder: pathlib.Path, name="authority"):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        self.certificate, self.key = folder / "ca.crt", folder / "ca.key"
        openssl("req", "-new", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", "30",
                "-subj", f"/CN={name}", "-out", self.certificate, "-keyout", self.key)

    def issue(self, name: str, subject: str, alternative="", digest="sha256"):
        """(certificate, key) for `subject`."""
        request, certificate, key = (self.folder / f"{name}.{end}" for end in ("csr", "crt", "key"))
        openssl("req", "-new", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", subject,
                "-out", request, "-keyout", key)
        extension = self.folder / f"{name}.ext"
        extension.write_text(f"subjectAltName={alternative}\n" if alternative else "")
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial", "-days", "30",
                f"-{digest}", "-out", certificate, "-extfile", extension)
        return certificate, key

    def revoke(self, certificate: pathlib.Path) -> pathlib.Path:
        """A revocation list with this certificate in it."""
        base = self.folder / "crl"
        base.mkdir(exist_ok=True)
        (base / "index.txt").write_text("")
        (base / "crlnumber").write_text("01\n")
        config = base / "openssl.cnf"
        config.write_text("[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\ncrlnumber=crlnumber\ndefault_md=sha256\n"
                          f"default_crl_days=30\ncertificate={self.certificate}\nprivate_key={self.key}\n")
        openssl("ca", "-config", config, "-revoke", certificate, cwd=base)
        openssl("ca", "-config", config, "-gencrl", "-out", base / "list.crl", cwd=base)
        return base / "list.crl"


def install(source: pathlib.Path, target: pathlib.Path, like: pathlib.Path, mode=0o600):
    """Copies a file for the server: owned as `like` is."""
    shutil.copy(source, target)
    owner = like.stat()
    os.chown(target, owner.st_uid, owner.st_gid)
    target.chmod(mode)
