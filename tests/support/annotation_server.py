"""A server of ours that speaks Video Intelligence's gRPC, long-running operation and all."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import grpc
from google.cloud import videointelligence_v1 as vi
from google.longrunning import operations_pb2

SERVICE = "google.cloud.videointelligence.v1.VideoIntelligenceService"
OPERATIONS = "google.longrunning.Operations"


@dataclass
class AnnotationState:
    """What the server does next, and what it was asked."""

    polls_needed: int = 1
    polls: int = 0
    failure: grpc.StatusCode | None = None
    operation_error: int = 0
    video_error: int = 0
    empty: bool = False
    requests: list[Any] = field(default_factory=list)

    def annotate(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Starts an operation."""
        if self.failure is not None:
            context.abort(self.failure, "told to fail")
        self.requests.append(request)
        return operations_pb2.Operation(name="operations/1", done=False)

    def get_operation(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Not done until it was asked often enough."""
        self.polls += 1
        operation = operations_pb2.Operation(name=request.name)
        if self.polls < self.polls_needed:
            return operation
        operation.done = True
        if self.operation_error:
            operation.error.code = self.operation_error
            return operation
        response = vi.AnnotateVideoResponse(
            annotation_results=[] if self.empty else [results(self.video_error)]
        )
        operation.response.Pack(vi.AnnotateVideoResponse.pb(response))
        return operation


def results(error: int) -> Any:
    """Two shots, a label, a text, a logo and a harmless frame."""
    if error:
        return vi.VideoAnnotationResults(error={"code": error, "message": "unsupported"})
    late, whole = segment(16, 20), segment(0, 20)
    return vi.VideoAnnotationResults(
        shot_annotations=[segment(0, 2), segment(2, 20)],
        segment_label_annotations=[
            {"entity": {"description": "shoe"}, "segments": [{"segment": whole, "confidence": 0.9}]}
        ],
        text_annotations=[
            {"text": "BUY NOW", "segments": [{"segment": late, "confidence": 0.95}]},
            {"text": "nowhere", "segments": []},
        ],
        logo_recognition_annotations=[
            {"entity": {"description": "Acme"}, "tracks": [{"segment": late, "confidence": 0.8}]}
        ],
        explicit_annotation={
            "frames": [{"pornography_likelihood": 0}, {"pornography_likelihood": 2}]
        },
    )


def segment(start: int, end: int) -> Any:
    """A stretch of time."""
    return vi.VideoSegment(
        start_time_offset=timedelta(seconds=start), end_time_offset=timedelta(seconds=end)
    )


@contextmanager
def running_annotation_server(state: AnnotationState) -> Iterator[str]:
    """`host:port` of a server that is stopped at the end of the context."""
    with ThreadPoolExecutor(max_workers=2) as threads:
        handlers = [
            grpc.method_handlers_generic_handler(
                SERVICE,
                {
                    "AnnotateVideo": grpc.unary_unary_rpc_method_handler(
                        state.annotate,
                        vi.AnnotateVideoRequest.deserialize,
                        operations_pb2.Operation.SerializeToString,
                    )
                },
            ),
            grpc.method_handlers_generic_handler(
                OPERATIONS,
                {
                    "GetOperation": grpc.unary_unary_rpc_method_handler(
                        state.get_operation,
                        operations_pb2.GetOperationRequest.FromString,
                        operations_pb2.Operation.SerializeToString,
                    )
                },
            ),
        ]
        server = grpc.server(threads, handlers=handlers)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.stop(grace=None).wait()
