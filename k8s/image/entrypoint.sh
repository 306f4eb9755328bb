#!/bin/bash
# What Spark on Kubernetes asks of an image: `driver ARGUMENTS` and `executor`. `fs ARGUMENTS` is Hadoop's file system shell, which
# copies between an object store and a volume. Anything else is run as it is (tomobasis, sleep, sh).
set -euo pipefail

case ${1:-} in
  driver)
    shift
    exec tini -s -- "$SPARK_HOME/bin/spark-submit" --deploy-mode client \
      --conf "spark.driver.bindAddress=$SPARK_DRIVER_BIND_ADDRESS" \
      --conf "spark.executorEnv.SPARK_DRIVER_POD_IP=$SPARK_DRIVER_BIND_ADDRESS" "$@"
    ;;
  executor)
    options=()
    while name=SPARK_JAVA_OPT_${#options[@]} && [ -n "${!name+set}" ]; do # numbered by the driver, from 0
      options+=("${!name}")
    done
    classpath="${SPARK_CONF_DIR:+$SPARK_CONF_DIR:}$SPARK_HOME/jars/*${SPARK_CLASSPATH:+:$SPARK_CLASSPATH}"
    exec tini -s -- java "${options[@]}" "-Xms$SPARK_EXECUTOR_MEMORY" "-Xmx$SPARK_EXECUTOR_MEMORY" -cp "$classpath" \
      org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend --driver-url "$SPARK_DRIVER_URL" \
      --executor-id "$SPARK_EXECUTOR_ID" --cores "$SPARK_EXECUTOR_CORES" --app-id "$SPARK_APPLICATION_ID" \
      --hostname "$SPARK_EXECUTOR_POD_IP" --resourceProfileId "$SPARK_RESOURCE_PROFILE_ID" \
      --podName "$SPARK_EXECUTOR_POD_NAME"
    ;;
  fs)
    shift
    exec tini -s -- java -cp "/opt/tomobasis/hadoop:$SPARK_HOME/jars/*" org.apache.hadoop.fs.FsShell "$@"
    ;;
  *)
    exec tini -s -- "$@"
    ;;
esac
