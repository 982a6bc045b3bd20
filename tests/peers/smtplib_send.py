"""Sends one mail with smtplib. Reads a request in JSON, writes one line of JSON: what the server said."""

import base64
import json
import smtplib
import ssl
import sys

request = json.load(sys.stdin)
result = {"accepted": False, "code": None, "text": "", "refused": {}, "extensions": []}


def refuse(code, text):
    result["code"] = code
    result["text"] = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)


try:
    with smtplib.SMTP(request["host"], request["port"], local_hostname="client.example", timeout=60) as server:
        server.ehlo()
        if request.get("starttls"):
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            server.starttls(context=context)
            server.ehlo()
        result["extensions"] = sorted(server.esmtp_features)
        if "user" in request:
            server.login(request["user"], request["password"])
        refused = server.sendmail(request["from"], request["to"], base64.b64decode(request["mail"]))
        result["accepted"] = True
        result["refused"] = {address: code for address, (code, _) in refused.items()}
except smtplib.SMTPRecipientsRefused as error:
    code, text = next(iter(error.recipients.values()))
    refuse(code, text)
    result["refused"] = {address: code for address, (code, _) in error.recipients.items()}
except smtplib.SMTPResponseException as error:
    refuse(error.smtp_code, error.smtp_error)
except smtplib.SMTPException as error:
    refuse(None, repr(error))

print(json.dumps(result))
