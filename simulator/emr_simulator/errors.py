"""The errors of the simulated AWS and of the simulator's own input.

Exception
 ├── ApiError         a call that AWS would refuse, with AWS's code, message and HTTP status
 ├── RecordingError   recorded metrics with a bad row, or too few of them
 └── TraceError       a workload file with a bad line
"""


class ApiError(Exception):
    """A refused call.

    Attributes:
        code: AWS's error code, for instance ThrottlingException.
        message: AWS's message.
        status: HTTP status, 400 unless said otherwise.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class TraceError(Exception):
    """A workload file that cannot be read.

    Attributes:
        path: The file.
        line: Line number, from 1; 0 where the file as a whole is at fault.
        field: The field at fault; empty where the line as a whole is.
    """

    def __init__(self, *, path: str, line: int, field: str, problem: str) -> None:
        where = f"{path}:{line}" if line else path
        super().__init__(f"{where}: {field}: {problem}" if field else f"{where}: {problem}")
        self.path = path
        self.line = line
        self.field = field


class RecordingError(Exception):
    """Recorded metrics that cannot be read, or hold too little.

    Attributes:
        path: The file; the cluster where they were fetched.
        row: Where in it: a line of CSV, a row of JSON; empty where the file as a whole is at fault.
        field: The column or key at fault; empty where there is none.
    """

    def __init__(self, *, path: str, problem: str, row: str = "", field: str = "") -> None:
        super().__init__(": ".join(part for part in (path, row, field, problem) if part))
        self.path = path
        self.row = row
        self.field = field


def invalid_request(message: str) -> ApiError:
    """Return EMR's answer to a request that cannot be carried out."""
    return ApiError("InvalidRequestException", message)


def validation(message: str) -> ApiError:
    """Return EMR's answer to a request whose values cannot be."""
    return ApiError("ValidationException", message)


def unknown_cluster(cluster_id: str) -> ApiError:
    """Return EMR's answer to a cluster id that it does not know."""
    return invalid_request(f"Cluster id '{cluster_id}' is not valid.")
