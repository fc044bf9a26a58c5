"""Deployments (contract §3): one row an operation."""

from typing import Final

from reference_server.contract import models
from reference_server.contract.operations.model import BASE, Operation

DEPLOYMENTS: Final = (
    Operation("deploy", "POST", f"{BASE}/deployments", "user", "Deploy an agent", 201,
              models.Deployment, body=models.DeployRequest, errors=(404,), tag="deployments"),
    Operation("list_deployments", "GET", f"{BASE}/deployments", "user", "Own deployments, newest first", 200,
              models.DeploymentList, tag="deployments"),
    Operation("get_deployment", "GET", f"{BASE}/deployments/{{id}}", "user", "One own deployment", 200,
              models.Deployment, errors=(404,), tag="deployments"),
    Operation("stop_deployment", "POST", f"{BASE}/deployments/{{id}}/stop", "user", "Stop a deployment; repeatable",
              200, models.Deployment, errors=(404,), tag="deployments"),
)  # fmt: skip
