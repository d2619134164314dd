"""The price list's operation in botocore's shapes; the documents are the World's."""

import json

from emr_simulator.apis.operations import OperationTable, Parameters, Result, page, present
from emr_simulator.errors import ApiError
from emr_simulator.prices import PricingApi

PRODUCTS_PER_PAGE = 100


class PricingOperations(OperationTable):
    """The Price List API of a World."""

    def __init__(self, pricing: PricingApi) -> None:
        self._pricing = pricing
        super().__init__({"GetProducts": self._get_products})

    def _get_products(self, parameters: Parameters) -> Result:
        filters: dict[str, str] = {}
        for condition in parameters.get("Filters", ()):
            if condition["Type"] not in {"TERM_MATCH", "EQUALS"}:
                raise ApiError("UnsupportedOperation", f"filters of type {condition['Type']} are not simulated")
            filters[condition["Field"]] = condition["Value"]
        documents = [
            json.dumps(document) for document in self._pricing.get_products(parameters["ServiceCode"], filters)
        ]
        chosen, token = page(
            documents,
            name=lambda document: str(json.loads(document)["product"]["sku"]),
            after=parameters.get("NextToken"),
            size=parameters.get("MaxResults", PRODUCTS_PER_PAGE),
            refusal=lambda wrong: ApiError("InvalidNextTokenException", f"The token {wrong!r} is invalid."),
        )
        return present(FormatVersion="aws_v1", PriceList=list(chosen), NextToken=token)
