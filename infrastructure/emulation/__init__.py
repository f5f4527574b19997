"""TaskSync on moto and under SAM local, from ``template.yaml``: docs/guides/run-locally.md."""
