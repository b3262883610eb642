"""How results hang together: the stages of DVC, derived from the Kedro pipelines.

``tracking``    what a catalog entry says to DVC beyond its place
``catalog``     which file an entry stands in, and where its data lies
``parameters``  which keys of which files a pipeline's parameters come from
``code``        which modules a pipeline runs through, found without running it
``stage``       what DVC is told about a pipeline
``order``       which stage comes behind which
``stages``      a stage for each pipeline that leaves something to track
``document``    the stages as the text of a dvc.yaml
``project``     all of it, for the project in a folder
"""
